using System.Runtime.InteropServices;
using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>What leaves a real KVM_RUN, and what may be done then (Linux, Documentation/virt/kvm/api.rst, The kvm_run structure): all that the host relies on.</summary>
[Collection(QemuMachines.Name)]
public sealed class ExitsOnRealKernelsTests(BootedKernels kernels) : IDisposable
{
    private const uint Function = 0xC300_0001;

    private const uint Hvc = 0xd400_0002;
    private const uint Smc = 0xd400_0003;
    private const uint Nop = 0xd503_201f;
    private const uint Loop = 0x1400_0000; // b .
    private const uint LoadX3 = 0xf940_0083; // ldr x3, [x4]
    private const uint StoreX3 = 0xf900_0083; // str x3, [x4]

    private const ulong El1h = 0x3c5;
    private const ulong Svc = 0x1d3;
    private const ulong Thumb = 1 << 5;
    private const ulong AArch32 = 1 << 4;

    private readonly HashSet<string> _used = [];

    public void Dispose()
    {
        foreach (var role in _used)
        {
            Assert.Equal((0u, 0u, 0u), kernels[role].Leftovers());
        }
    }

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12", 0xd400_0002u, false)] // hvc #0
    [InlineData("6.12", 0xd400_00a2u, false)] // hvc #5
    [InlineData("6.12", 0xd41f_ffe2u, false)] // hvc #0xffff
    [InlineData("6.12", 0xd400_0003u, true)] // smc #0
    [InlineData("7.x", 0xd400_0002u, false)]
    [InlineData("7.x", 0xd400_00a2u, false)]
    [InlineData("7.x", 0xd41f_ffe2u, false)]
    [InlineData("7.x", 0xd400_0003u, true)]
    public void A_forwarded_call_is_behind_PC_and_tells_only_the_function(string role, uint instruction, bool isSmc)
    {
        using var vm = Forwarding(role);
        var vcpu = vm.Add([instruction, StoreX3]);
        var x = Enumerable.Range(0, 31).Select(n => 0x1111_1111_1111_1111ul * (ulong)(n % 15 + 1)).ToArray();
        x[0] = 0xdead_beef_0000_0000 | Function; // the upper half of x0 is nobody's
        x[4] = BareVm.Device;
        Assert.Equal(ExitReason.Hypercall, vcpu.Run([.. x.Select((value, n) => (KvmRegisterId.X(n), value))]));
        Assert.Equal((Function, isSmc), vcpu.Page.Hypercall);
        // nr, args[6], ret, flags: neither arguments nor immediate.
        Assert.Equal([Function, 0, 0, 0, 0, 0, 0, 0, isSmc ? 1u : 0], vcpu.Page.Words(9));
        Assert.Equal(x, vcpu.GetX(0, 31));
        Assert.Equal((BareVm.Start + 4, El1h), (vcpu.Get(KvmRegisterId.Pc), vcpu.Get(KvmRegisterId.Pstate)));

        // Nobody's answer leaves the function's own number in x0: a host must write something.
        Assert.Equal(ExitReason.Mmio, vcpu.Run());
        Assert.Equal(x, vcpu.GetX(0, 31));
    }

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void An_SMC_with_an_immediate_is_never_forwarded(string role)
    {
        foreach (var immediate in (uint[])[1, 0xffff])
        {
            using var vm = Forwarding(role);
            var vcpu = vm.Add([Smc | immediate << 5, StoreX3]);
            Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.X(0), Function), (KvmRegisterId.X(1), 1), (KvmRegisterId.X(2), 2), (KvmRegisterId.X(3), 3), (KvmRegisterId.X(4), BareVm.Device)));
            Assert.Equal([ulong.MaxValue, 1, 2, 3, BareVm.Device], vcpu.GetX(0, 5));
        }
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1", Hvc, new ulong[] { 0, 0, 0 })]
    [InlineData("6.1", Smc, new ulong[] { 1, 2, 3 })]
    [InlineData("6.12", Hvc, new ulong[] { 0, 0, 0 })]
    [InlineData("6.12", Smc, new ulong[] { 0, 0, 0 })]
    [InlineData("7.x", Hvc, new ulong[] { 0, 0, 0 })]
    [InlineData("7.x", Smc, new ulong[] { 0, 0, 0 })]
    public void What_the_kernel_has_not_is_refused_there(string role, uint instruction, ulong[] x1ToX3)
    {
        using var vm = Boot(role);
        var vcpu = vm.Add([instruction, StoreX3]);
        Assert.Equal(ExitReason.Mmio, vcpu.Run([(KvmRegisterId.X(0), Function), .. Enumerable.Range(1, 17).Select(n => (KvmRegisterId.X(n), n == 4 ? BareVm.Device : (ulong)n))]));
        Assert.Equal([ulong.MaxValue, .. x1ToX3, BareVm.Device, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17], vcpu.GetX(0, 18));
    }

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void AArch32_calls_are_forwarded_whatever_their_width(string role)
    {
        foreach (var (what, instruction, pstate, isSmc, function) in ((string, uint, ulong, bool, uint)[])
        [
            ("A32 hvc 0", 0xe140_0070, Svc, false, 0x8300_0001),
            ("A32 smc 0", 0xe160_0070, Svc, true, 0x8300_0001),
            ("A32 hvc 3", 0xe140_0073, Svc, false, 0x8300_0001),
            ("A32 smc 3", 0xe160_0073, Svc, true, 0x8300_0001), // its syndrome has no immediate
            ("T32 hvc 0", 0x8000_f7e0, Svc | Thumb, false, 0x8300_0001),
            ("T32 smc 0", 0x8000_f7f0, Svc | Thumb, true, 0x8300_0001),
            ("A32 hvc 0, SMC64", 0xe140_0070, Svc, false, 0xC400_0020),
            ("A32 smc 0, SMC64", 0xe160_0070, Svc, true, 0xC400_0020),
        ])
        {
            using var vm = Boot(role);
            if (vm.Kvm.Extension(KvmCapability.ArmEl132Bit) == 0)
            {
                return;
            }
            vm.Vm.SetFilter(new(0x8300_0001, 0x8300_0001, FilterAction.Forward));
            vm.Vm.SetFilter(new(0xC400_0020, 0xC400_0020, FilterAction.Forward));
            var vcpu = vm.Add([instruction], VcpuFeatures.Psci02 | VcpuFeatures.El1Is32Bit);
            Assert.Equal((what, Svc), (what, vcpu.Get(KvmRegisterId.Pstate)));
            Assert.Equal((what, ExitReason.Hypercall), (what, vcpu.Run((KvmRegisterId.X(0), function), (KvmRegisterId.Pstate, pstate))));
            Assert.Equal((what, (function, isSmc)), (what, vcpu.Page.Hypercall));
            // 16-bit instructions have a flag, and no call is one: the state is PSTATE's to tell.
            Assert.Equal((what, isSmc ? 1ul : 0), (what, vcpu.Page.Words(9)[8]));
            Assert.Equal((what, BareVm.Start + 4, AArch32), (what, vcpu.Get(KvmRegisterId.Pc), vcpu.Get(KvmRegisterId.Pstate) & AArch32));
        }
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void A_finished_access_leaves_PC_to_the_host_and_an_unfinished_one_moves_it(string role)
    {
        using var vm = Boot(role);
        uint[] program = [LoadX3, Nop, StoreX3, Loop];
        var vcpu = vm.Add(program);
        ulong device = BareVm.Device;
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.X(4), device)));
        Assert.Equal((device, 8, false), vcpu.Page.Mmio);
        Assert.Equal(BareVm.Start, vcpu.Get(KvmRegisterId.Pc));
        vcpu.Complete([8, 7, 6, 5, 4, 3, 2, 1]);
        Assert.Equal((BareVm.Start + 4, 0x0102_0304_0506_0708ul), (vcpu.Get(KvmRegisterId.Pc), vcpu.Get(KvmRegisterId.X(3))));

        // To the store, then back to the read: it is the next exit.
        Assert.Equal(ExitReason.Mmio, vcpu.Run());
        Assert.Equal((device, 8, true), vcpu.Page.Mmio);
        Assert.Equal([8, 7, 6, 5, 4, 3, 2, 1], vcpu.Page.MmioData.ToArray());
        vcpu.Complete([]);
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.Pc, BareVm.Start)));
        Assert.Equal((device, 8, false), vcpu.Page.Mmio);
        Assert.Equal(BareVm.Start, vcpu.Get(KvmRegisterId.Pc));

        // The same without finishing the read: KVM skips an instruction of the place it was sent to.
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.Pc, BareVm.Start + 4)));
        Assert.Equal((device, 8, true, BareVm.Start + 8), (vcpu.Page.Mmio.Address, vcpu.Page.Mmio.Length, vcpu.Page.Mmio.IsWrite, vcpu.Get(KvmRegisterId.Pc)));
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.Pc, BareVm.Start - 4)));
        Assert.Equal((device, 8, false), vcpu.Page.Mmio);
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public async Task A_kicked_guest_goes_on_where_it_is_sent(string role)
    {
        using var vm = Boot(role);
        var vcpu = vm.Add([Loop, StoreX3, Loop]);
        var kicks = vcpu.Kicks;
        var run = Task.Run(() => vcpu.Run(kicks, [], [], [], [], []));
        vcpu.Kick();
        Assert.Equal(ExitReason.Interrupted, await run.Soon());
        Assert.Equal(BareVm.Start, vcpu.Get(KvmRegisterId.Pc));
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.Pc, BareVm.Start + 4), (KvmRegisterId.X(4), BareVm.Device)));
        Assert.Equal(BareVm.Start + 4, vcpu.Get(KvmRegisterId.Pc));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1", false)]
    [InlineData("6.12", false)]
    [InlineData("7.x", true)]
    public void The_kernels_PSCI_stops_every_core_and_tells_why(string role, bool hasOff2)
    {
        foreach (var (function, x1, systemEvent, data) in ((uint, ulong, KvmSystemEvent, ulong)[])
        [
#pragma warning disable format // a table, to be read by column
            // Function   x1            Event                    data[0]
            (0x8400_0008, 0,            KvmSystemEvent.Shutdown, 0),  // SYSTEM_OFF
            (0x8400_0009, 0,            KvmSystemEvent.Reset,    0),  // SYSTEM_RESET
            (0x8400_0012, 0,            KvmSystemEvent.Reset,    1),  // SYSTEM_RESET2
            (0xC400_0012, 0x8000_0000,  KvmSystemEvent.Reset,    1),  // of the vendor
            (0x8400_0015, 0,            KvmSystemEvent.Shutdown, 1),  // SYSTEM_OFF2
            (0xC400_0015, 1,            KvmSystemEvent.Shutdown, 1),  // HIBERNATE_OFF
#pragma warning restore format
        ])
        {
            if (!hasOff2 && (function & 0xFF) == 0x15)
            {
                continue;
            }
            using var vm = Boot(role);
            var vcpu = vm.Add([Hvc]);
            var other = vm.Add();
            Assert.Equal((function, ExitReason.SystemEvent), (function, vcpu.Run((KvmRegisterId.X(0), function), (KvmRegisterId.X(1), x1))));
            Assert.Equal((function, systemEvent), (function, vcpu.Page.SystemEvent));
            Assert.Equal([data], vcpu.Page.SystemEventData);
            Assert.Equal((MpState.Stopped, MpState.Stopped), (vcpu.MpState, other.MpState));
            // INTERNAL_FAILURE, for a guest that is run again after all.
            Assert.Equal(unchecked((ulong)-6), vcpu.Get(KvmRegisterId.X(0)));
        }
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1", 0x8400_0012u)]
    [InlineData("6.12", 0x8400_0012u)]
    [InlineData("7.x", 0x8400_0012u)]
    [InlineData("7.x", 0xC400_0015u)]
    public void A_type_that_there_is_not_stops_nobody(string role, uint function)
    {
        using var vm = Boot(role);
        var vcpu = vm.Add([Hvc, StoreX3]);
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.X(0), function), (KvmRegisterId.X(1), 5), (KvmRegisterId.X(4), BareVm.Device)));
        // INVALID_PARAMETERS.
        Assert.Equal((unchecked((ulong)-2), MpState.Runnable), (vcpu.Get(KvmRegisterId.X(0)), vcpu.MpState));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void SYSTEM_SUSPEND_is_left_to_the_host(string role)
    {
        using var vm = Boot(role);
        vm.Vm.Enable(KvmCapability.ArmSystemSuspend);
        var vcpu = vm.Add([Hvc]);
        Assert.Equal(ExitReason.SystemEvent, vcpu.Run((KvmRegisterId.X(0), 0xC400_000E), (KvmRegisterId.X(1), BareVm.Start), (KvmRegisterId.X(2), 7)));
        Assert.Equal(KvmSystemEvent.Suspend, vcpu.Page.SystemEvent);
        Assert.Empty(vcpu.Page.SystemEventData);
        Assert.Equal([0xC400_000E, BareVm.Start, 7], vcpu.GetX(0, 3));
        Assert.Equal((MpState.Runnable, BareVm.Start + 4), (vcpu.MpState, vcpu.Get(KvmRegisterId.Pc)));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public async Task A_suspended_core_is_woken_by_an_interrupt_and_kicked_without(string role)
    {
        using var vm = Boot(role);
        var vcpu = vm.Add([Loop]);
        vcpu.MpState = MpState.Suspended;
        var kicks = vcpu.Kicks;
        var run = Task.Run(() => vcpu.Run(kicks, [], [], [], [], []));
        vcpu.Kick();
        Assert.Equal((ExitReason.Interrupted, MpState.Suspended), (await run.Soon(), vcpu.MpState));

        // Without a GIC a vCPU's interrupt line is the host's: KVM_ARM_IRQ_TYPE_CPU, vCPU 0, IRQ.
        var line = new KvmIrqLevel { Irq = 0, Level = 1 };
        Assert.Equal(0, vm.Kernel.Control(vm.Descriptor, KvmIoctl.IrqLine, MemoryMarshal.AsBytes(new Span<KvmIrqLevel>(ref line))));
        Assert.Equal(ExitReason.SystemEvent, vcpu.Run());
        Assert.Equal(KvmSystemEvent.Wakeup, vcpu.Page.SystemEvent);
        Assert.Empty(vcpu.Page.SystemEventData);
        // It goes on when the host says so.
        Assert.Equal((MpState.Suspended, BareVm.Start), (vcpu.MpState, vcpu.Get(KvmRegisterId.Pc)));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public async Task A_stopped_core_can_be_kicked_and_started(string role)
    {
        using var vm = Boot(role);
        var vcpu = vm.Add([Loop, StoreX3], VcpuFeatures.Psci02 | VcpuFeatures.PowerOff);
        Assert.Equal(MpState.Stopped, vcpu.MpState);
        var kicks = vcpu.Kicks;
        var run = Task.Run(() => vcpu.Run(kicks, [], [], [], [], []));
        vcpu.Kick();
        Assert.Equal((ExitReason.Interrupted, MpState.Stopped), (await run.Soon(), vcpu.MpState));
        vcpu.MpState = MpState.Runnable;
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.Pc, BareVm.Start + 4), (KvmRegisterId.X(4), BareVm.Device)));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void A_breakpoint_of_the_guests_text_is_the_hosts(string role)
    {
        using var vm = Boot(role);
        // nop; brk #0x123
        var vcpu = vm.Add([Nop, 0xd420_2460]);
        vcpu.SetDebug(GuestDebug.Enable | GuestDebug.SoftwareBreakpoints);
        Assert.Equal(ExitReason.Debug, vcpu.Run());
        Assert.Equal((0xf200_0123ul, true, 0ul), vcpu.Page.Debug);
        Assert.Equal((1, BareVm.Start + 4), (vcpu.Page.Flags, vcpu.Get(KvmRegisterId.Pc)));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void A_step_is_one_instruction(string role)
    {
        const ulong StepFromBelow = 0x32;
        using var vm = Boot(role);
        var vcpu = vm.Add([Nop, Nop, Nop, StoreX3]);
        vcpu.SetDebug(GuestDebug.Enable | GuestDebug.SingleStep);
        for (var n = 1u; n <= 3; n++)
        {
            Assert.Equal(ExitReason.Debug, vcpu.Run((KvmRegisterId.X(4), BareVm.Device)));
            Assert.Equal((StepFromBelow, BareVm.Start + (4 * n)), (vcpu.Page.Debug.Esr >> 26, vcpu.Get(KvmRegisterId.Pc)));
        }
        vcpu.SetDebug(GuestDebug.None);
        Assert.Equal(ExitReason.Mmio, vcpu.Run());
    }

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void A_step_over_a_forwarded_HVC_comes_after_the_call(string role)
    {
        using var vm = Forwarding(role);
        var vcpu = vm.Add([Hvc, Nop, StoreX3]);
        vcpu.SetDebug(GuestDebug.Enable | GuestDebug.SingleStep);
        Assert.Equal(ExitReason.Hypercall, vcpu.Run((KvmRegisterId.X(0), Function)));
        Assert.Equal(BareVm.Start + 4, vcpu.Get(KvmRegisterId.Pc));
        Assert.Equal(ExitReason.Debug, vcpu.Run());
        Assert.Equal(BareVm.Start + 4, vcpu.Get(KvmRegisterId.Pc));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void An_access_that_KVM_cannot_describe_is_an_error(string role)
    {
        using var vm = Boot(role);
        // ldr x0, [x1], #8
        var vcpu = vm.Add([0xf840_8420]);
        var refusal = Assert.Throws<KvmException>(() => vcpu.Run((KvmRegisterId.X(1), BareVm.Device)));
        Assert.Equal((Errno.Enosys, "vCPU 0 does not run: ENOSYS (38)."), (refusal.Errno, refusal.Message));
        Assert.Equal(BareVm.Start, vcpu.Get(KvmRegisterId.Pc));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1", false)]
    [InlineData("6.12", true)]
    [InlineData("7.x", true)]
    public void To_be_initialised_again_is_a_reset(string role, bool mayDifferInPowerOff)
    {
        using var vm = Boot(role);
        var vcpu = vm.Add([StoreX3]);
        ulong[] ids = [.. Enumerable.Range(0, 31).Select(KvmRegisterId.X), KvmRegisterId.Pc, KvmRegisterId.Pstate, KvmRegisterId.VbarEl1, KvmRegisterId.SctlrEl1];
        var values = new ulong[ids.Length];
        vcpu.Init(VcpuFeatures.Psci02);
        vcpu.Get(ids, values);
        var reset = values.ToArray();
        Assert.Equal([.. new ulong[32], El1h, 0], reset[..34]);

        Assert.Equal(ExitReason.Mmio, vcpu.Run([.. Enumerable.Range(0, 31).Select(n => (KvmRegisterId.X(n), BareVm.Device)), (KvmRegisterId.Pc, BareVm.Start), (KvmRegisterId.VbarEl1, BareVm.Start), (KvmRegisterId.SctlrEl1, reset[34] | 2)]));
        vcpu.Complete([]);
        vcpu.Init(VcpuFeatures.Psci02);
        vcpu.Get(ids, values);
        Assert.Equal(reset, values);
        Assert.Equal(Errno.Einval, Assert.Throws<KvmException>(() => vcpu.Init(VcpuFeatures.None)).Errno);
        if (mayDifferInPowerOff)
        {
            vcpu.Init(VcpuFeatures.Psci02 | VcpuFeatures.PowerOff);
            Assert.Equal(MpState.Stopped, vcpu.MpState);
        }
        else
        {
            Assert.Equal(Errno.Einval, Assert.Throws<KvmException>(() => vcpu.Init(VcpuFeatures.Psci02 | VcpuFeatures.PowerOff)).Errno);
        }
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void Bitmaps_are_closed_once_a_vCPU_has_run_and_the_version_of_PSCI_is_not(string role)
    {
        using var vm = Boot(role);
        var vcpu = vm.Add([StoreX3]);
        vcpu.Set((KvmRegisterId.StdBitmap, 0));
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.X(4), BareVm.Device)));
        foreach (var (id, now, other) in ((ulong, ulong, ulong)[])[(KvmRegisterId.StdBitmap, 0, 1), (KvmRegisterId.StdHypBitmap, 1, 0), (KvmRegisterId.VendorHypBitmap, 3, 1)])
        {
            Assert.Equal(now, vcpu.Get(id));
            vcpu.Set((id, now));
            Assert.Equal(Errno.Ebusy, Assert.Throws<KvmException>(() => vcpu.Set((id, other))).Errno);
            Assert.Equal(now, vcpu.Get(id));
        }
        vcpu.Set((KvmRegisterId.PsciVersion, 2));
        Assert.Equal(2ul, vcpu.Get(KvmRegisterId.PsciVersion));
        Assert.Equal(Errno.Einval, Assert.Throws<KvmException>(() => vcpu.Set((KvmRegisterId.PsciVersion, 0x0002_0000))).Errno);
    }

    private BareVm Boot(string role)
    {
        _used.Add(role);
        return new(kernels[role]);
    }

    private BareVm Forwarding(string role)
    {
        var vm = Boot(role);
        vm.Vm.SetFilter(new(Function, Function, FilterAction.Forward));
        return vm;
    }
}

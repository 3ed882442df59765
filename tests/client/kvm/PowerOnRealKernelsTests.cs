using System.Runtime.InteropServices;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>Cores that a real kernel stops, suspends, starts and resets (Linux, Documentation/virt/kvm/api.rst, KVM_EXIT_SYSTEM_EVENT and KVM_SET_MP_STATE): all that the host relies on.</summary>
[Collection(QemuMachines.Name)]
public sealed class PowerOnRealKernelsTests(BootedKernels kernels) : IDisposable
{
    private readonly UsedKernels _kernels = new(kernels);

    public void Dispose() => _kernels.Dispose();

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
            using var vm = _kernels.Boot(role);
            var vcpu = vm.Add([A64.Hvc]);
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
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add([A64.Hvc, A64.StoreX3]);
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
        using var vm = _kernels.Boot(role);
        vm.Vm.Enable(KvmCapability.ArmSystemSuspend);
        var vcpu = vm.Add([A64.Hvc]);
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
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add([A64.Loop]);
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
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add([A64.Loop, A64.StoreX3], VcpuFeatures.Psci02 | VcpuFeatures.PowerOff);
        Assert.Equal(MpState.Stopped, vcpu.MpState);
        var kicks = vcpu.Kicks;
        var run = Task.Run(() => vcpu.Run(kicks, [], [], [], [], []));
        vcpu.Kick();
        Assert.Equal((ExitReason.Interrupted, MpState.Stopped), (await run.Soon(), vcpu.MpState));
        vcpu.MpState = MpState.Runnable;
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.Pc, BareVm.Start + 4), (KvmRegisterId.X(4), BareVm.Device)));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1", false)]
    [InlineData("6.12", true)]
    [InlineData("7.x", true)]
    public void To_be_initialised_again_is_a_reset(string role, bool mayDifferInPowerOff)
    {
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add([A64.StoreX3]);
        ulong[] ids = [.. Enumerable.Range(0, 31).Select(KvmRegisterId.X), KvmRegisterId.Pc, KvmRegisterId.Pstate, KvmRegisterId.VbarEl1, KvmRegisterId.SctlrEl1];
        var values = new ulong[ids.Length];
        vcpu.Init(VcpuFeatures.Psci02);
        vcpu.Get(ids, values);
        var reset = values.ToArray();
        Assert.Equal([.. new ulong[32], A64.El1h, 0], reset[..34]);

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
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add([A64.StoreX3]);
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
}

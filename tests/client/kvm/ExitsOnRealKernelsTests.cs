using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>What else leaves a real KVM_RUN, and what may be done then (Linux, Documentation/virt/kvm/api.rst, The kvm_run structure): all that the host relies on.</summary>
[Collection(QemuMachines.Name)]
public sealed class ExitsOnRealKernelsTests(BootedKernels kernels) : IDisposable
{
    private const uint Function = 0xC300_0001;

    private readonly UsedKernels _kernels = new(kernels);

    public void Dispose() => _kernels.Dispose();

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void A_finished_access_leaves_PC_to_the_host_and_an_unfinished_one_moves_it(string role)
    {
        using var vm = _kernels.Boot(role);
        uint[] program = [A64.LoadX3, A64.Nop, A64.StoreX3, A64.Loop];
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
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add([A64.Loop, A64.StoreX3, A64.Loop]);
        var kicks = vcpu.Kicks;
        var run = Task.Run(() => vcpu.Run(kicks, [], [], [], [], []));
        vcpu.Kick();
        Assert.Equal(ExitReason.Interrupted, await run.Soon());
        Assert.Equal(BareVm.Start, vcpu.Get(KvmRegisterId.Pc));
        Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.Pc, BareVm.Start + 4), (KvmRegisterId.X(4), BareVm.Device)));
        Assert.Equal(BareVm.Start + 4, vcpu.Get(KvmRegisterId.Pc));
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void A_breakpoint_of_the_guests_text_is_the_hosts(string role)
    {
        using var vm = _kernels.Boot(role);
        // nop; brk #0x123
        var vcpu = vm.Add([A64.Nop, 0xd420_2460]);
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
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add([A64.Nop, A64.Nop, A64.Nop, A64.StoreX3]);
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
        using var vm = _kernels.Boot(role, Function);
        var vcpu = vm.Add([A64.Hvc, A64.Nop, A64.StoreX3]);
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
        using var vm = _kernels.Boot(role);
        // ldr x0, [x1], #8
        var vcpu = vm.Add([0xf840_8420]);
        var refusal = Assert.Throws<KvmException>(() => vcpu.Run((KvmRegisterId.X(1), BareVm.Device)));
        Assert.Equal((Errno.Enosys, "vCPU 0 does not run: ENOSYS (38)."), (refusal.Errno, refusal.Message));
        Assert.Equal(BareVm.Start, vcpu.Get(KvmRegisterId.Pc));
    }
}

using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Interface;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>What a real kernel tells of a call that it forwards, and of those that it does not (Linux, Documentation/virt/kvm/api.rst, KVM_EXIT_HYPERCALL): all that the host relies on.</summary>
[Collection(QemuMachines.Name)]
public sealed class ForwardedCallsOnRealKernelsTests(BootedKernels kernels) : IDisposable
{
    private const uint Function = 0xC300_0001;
    private const ulong Svc = 0x1d3;
    private const ulong Thumb = 1 << 5;
    private const ulong AArch32 = 1 << 4;

    private readonly UsedKernels _kernels = new(kernels);

    public void Dispose() => _kernels.Dispose();

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
        using var vm = _kernels.Boot(role, Function);
        var vcpu = vm.Add([instruction, A64.StoreX3]);
        var x = Enumerable.Range(0, 31).Select(n => 0x1111_1111_1111_1111ul * (ulong)(n % 15 + 1)).ToArray();
        x[0] = 0xdead_beef_0000_0000 | Function; // the upper half of x0 is nobody's
        x[4] = BareVm.Device;
        Assert.Equal(ExitReason.Hypercall, vcpu.Run([.. x.Select((value, n) => (KvmRegisterId.X(n), value))]));
        Assert.Equal((Function, isSmc), vcpu.Page.Hypercall);
        // nr, args[6], ret, flags: neither arguments nor immediate.
        Assert.Equal([Function, 0, 0, 0, 0, 0, 0, 0, isSmc ? 1u : 0], vcpu.Page.Words(9));
        Assert.Equal(x, vcpu.GetX(0, 31));
        Assert.Equal((BareVm.Start + 4, A64.El1h), (vcpu.Get(KvmRegisterId.Pc), vcpu.Get(KvmRegisterId.Pstate)));

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
            using var vm = _kernels.Boot(role, Function);
            var vcpu = vm.Add([A64.Smc | immediate << 5, A64.StoreX3]);
            Assert.Equal(ExitReason.Mmio, vcpu.Run((KvmRegisterId.X(0), Function), (KvmRegisterId.X(1), 1), (KvmRegisterId.X(2), 2), (KvmRegisterId.X(3), 3), (KvmRegisterId.X(4), BareVm.Device)));
            Assert.Equal([ulong.MaxValue, 1, 2, 3, BareVm.Device], vcpu.GetX(0, 5));
        }
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1", A64.Hvc, new ulong[] { 0, 0, 0 })]
    [InlineData("6.1", A64.Smc, new ulong[] { 1, 2, 3 })]
    [InlineData("6.12", A64.Hvc, new ulong[] { 0, 0, 0 })]
    [InlineData("6.12", A64.Smc, new ulong[] { 0, 0, 0 })]
    [InlineData("7.x", A64.Hvc, new ulong[] { 0, 0, 0 })]
    [InlineData("7.x", A64.Smc, new ulong[] { 0, 0, 0 })]
    public void What_the_kernel_has_not_is_refused_there(string role, uint instruction, ulong[] x1ToX3)
    {
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add([instruction, A64.StoreX3]);
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
            using var vm = _kernels.Boot(role);
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
}

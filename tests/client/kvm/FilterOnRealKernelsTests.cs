using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>KVM's SMCCC filter on real kernels: what it takes, and what is said where it refuses (Linux, Documentation/virt/kvm/devices/vm.rst, KVM_ARM_VM_SMCCC_FILTER).</summary>
[Collection(QemuMachines.Name)]
public sealed class FilterOnRealKernelsTests(BootedKernels kernels) : IDisposable
{
    private const string Overlaps = "(EEXIST (17)): it overlaps one that is installed, or those that the kernel reserves, 0x80000000 to 0x8000FFFF and 0xC0000000 to 0xC000FFFF. Leave these out.";
    private const string IsNoRange = "(EINVAL (22)): it is empty, ends before it begins, or has an action that this kernel does not know.";
    private const string HasRun = "(EBUSY (16)): a vCPU of this machine has run already. Install the filter before.";

    private readonly UsedKernels _kernels = new(kernels);

    public void Dispose() => _kernels.Dispose();

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void Everything_that_can_be_forwarded_is_three_ranges(string role)
    {
        using var vm = _kernels.Boot(role);
        Assert.True(vm.Vm.HasFilter);
        Assert.Equal(
            [
                new(0x0000_0000, 0x7FFF_FFFF, FilterAction.Forward),
                new(0x8001_0000, 0xBFFF_FFFF, FilterAction.Forward),
                new(0xC001_0000, 0xFFFF_FFFF, FilterAction.Forward),
            ],
            ForwardRanges.All);
        foreach (var range in ForwardRanges.All)
        {
            vm.Vm.SetFilter(range);
        }
    }

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void Refuses_with_a_sentence(string role)
    {
        using var vm = _kernels.Boot(role);
        vm.Vm.SetFilter(new(0xC400_0020, 0xC400_003F, FilterAction.Forward));
        foreach (var (first, last, action, errno, sentence) in ((uint, uint, FilterAction, int, string)[])
        [
#pragma warning disable format // a table, to be read by column
            // First      Last         Action                 Errno          Because
            (0x8000_0000, 0x8000_0000, FilterAction.Forward,  Errno.Eexist,  Overlaps),  // reserved
            (0x7FFF_FFFF, 0x8000_0000, FilterAction.Deny,     Errno.Eexist,  Overlaps),
            (0x8000_FFFF, 0x8001_0000, FilterAction.Handle,   Errno.Eexist,  Overlaps),
            (0xC000_0000, 0xC000_0000, FilterAction.Forward,  Errno.Eexist,  Overlaps),
            (0xC000_FFFF, 0xC001_0000, FilterAction.Forward,  Errno.Eexist,  Overlaps),
            (0xBFFF_FFFF, 0xC001_0000, FilterAction.Forward,  Errno.Eexist,  Overlaps),
            (0xC400_0020, 0xC400_003F, FilterAction.Forward,  Errno.Eexist,  Overlaps),  // the same again
            (0xC400_003F, 0xC400_0040, FilterAction.Deny,     Errno.Eexist,  Overlaps),
            (0xC400_0000, 0xC400_0020, FilterAction.Handle,   Errno.Eexist,  Overlaps),
            (0x0000_0005, 0x0000_0004, FilterAction.Forward,  Errno.Einval,  IsNoRange), // empty
            (0xF000_0000, 0x0000_0010, FilterAction.Forward,  Errno.Einval,  IsNoRange), // ends before it begins
            (0x1000_0000, 0x1000_0000, (FilterAction)3,       Errno.Einval,  IsNoRange),
            (0x1000_0000, 0x1000_0000, (FilterAction)255,     Errno.Einval,  IsNoRange),
#pragma warning restore format
        ])
        {
            var refusal = Assert.Throws<KvmException>(() => vm.Vm.SetFilter(new(first, last, action)));
            Assert.Equal((errno, $"The SMCCC filter takes no range 0x{first:X8} to 0x{last:X8} {sentence}"), (refusal.Errno, refusal.Message));
        }

        // What is beside all of these is taken.
        vm.Vm.SetFilter(new(0x7FFF_FFFF, 0x7FFF_FFFF, FilterAction.Forward));
        vm.Vm.SetFilter(new(0x8001_0000, 0x8001_0000, FilterAction.Forward));
        vm.Vm.SetFilter(new(0xBFFF_FFFF, 0xBFFF_FFFF, FilterAction.Forward));
        vm.Vm.SetFilter(new(0xC001_0000, 0xC400_001F, FilterAction.Handle));
        vm.Vm.SetFilter(new(0xC400_0040, 0xFFFF_FFFF, FilterAction.Deny));
    }

    // 2^32 functions are 0 of them in 32 bits: Linux 6.12 takes it for the whole, which overlaps; newer ones for nothing.
    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12", Errno.Eexist, Overlaps)]
    [InlineData("7.x", Errno.Einval, IsNoRange)]
    public void Does_not_take_everything_in_one_range(string role, int errno, string sentence)
    {
        using var vm = _kernels.Boot(role);
        var refusal = Assert.Throws<KvmException>(() => vm.Vm.SetFilter(new(0, uint.MaxValue, FilterAction.Forward)));
        Assert.Equal((errno, $"The SMCCC filter takes no range 0x00000000 to 0xFFFFFFFF {sentence}"), (refusal.Errno, refusal.Message));
    }

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void Is_closed_once_a_vCPU_has_run(string role)
    {
        using var vm = _kernels.Boot(role);
        vm.Vm.SetFilter(new(0xC300_0000, 0xC300_0000, FilterAction.Forward));
        // movz x0, #0xc300, lsl #16; hvc #0
        var vcpu = vm.Add([0xd2b8_6000, 0xd400_0002]);
        vm.Vm.SetFilter(new(0xC300_0001, 0xC300_0001, FilterAction.Forward));
        Assert.Equal(ExitReason.Hypercall, vcpu.Run());
        Refused();
        vcpu.Init(VcpuFeatures.Psci02);
        Refused();

        void Refused()
        {
            var refusal = Assert.Throws<KvmException>(() => vm.Vm.SetFilter(new(0xC300_0002, 0xC300_0002, FilterAction.Forward)));
            Assert.Equal((Errno.Ebusy, $"The SMCCC filter takes no range 0xC3000002 to 0xC3000002 {HasRun}"), (refusal.Errno, refusal.Message));
        }
    }

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12")]
    [InlineData("7.x")]
    public void Takes_no_padding_and_gives_nothing_back(string role)
    {
        using var vm = _kernels.Boot(role);
        for (var at = 9; at < 24; at++)
        {
            Assert.Equal(-Errno.Einval, Attribute(vm, KvmIoctl.SetDeviceAttr, Filter(padding: at)));
        }
        Assert.Equal(0, Attribute(vm, KvmIoctl.SetDeviceAttr, Filter(padding: null)));
        Assert.Equal(-Errno.Einval, Attribute(vm, KvmIoctl.GetDeviceAttr, Filter(padding: null)));
    }

    [RealKernelFact("6.1")]
    public void Linux_6_1_has_none()
    {
        using var vm = _kernels.Boot("6.1");
        Assert.False(vm.Vm.HasFilter);
        Assert.Equal(-Errno.Einval, Attribute(vm, KvmIoctl.HasDeviceAttr, Filter(padding: null)));
        var refusal = Assert.Throws<KvmException>(() => vm.Vm.SetFilter(new(0xC300_0000, 0xC300_0000, FilterAction.Forward)));
        Assert.Equal(Errno.Einval, refusal.Errno);
    }

    private static int Attribute(BareVm vm, uint request, byte[] filter) => vm.Kernel.Control(vm.Descriptor, request, new byte[24], KvmDeviceAttr.AddressOffset, filter);

    /// <summary>One function, 1, forwarded.</summary>
    private static byte[] Filter(int? padding)
    {
        var filter = new byte[24];
        (filter[0], filter[4], filter[8]) = (1, 1, (byte)FilterAction.Forward);
        if (padding is { } at)
        {
            filter[at] = 1;
        }
        return filter;
    }
}

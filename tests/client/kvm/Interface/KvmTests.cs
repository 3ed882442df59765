using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;
using OpenKvm = Hypercalls.Kvm.Interface.Kvm;

namespace Hypercalls.Tests.Client.Kvm.Interface;

public sealed class KvmTests
{
    [Theory]
    [InlineData(2, "There is no /dev/kvm (ENOENT (2)): this kernel has no KVM, or the machine no EL2. Run without --accel kvm, which emulates the machine.")]
    [InlineData(19, "There is no /dev/kvm (ENODEV (19)): this kernel has no KVM, or the machine no EL2. Run without --accel kvm, which emulates the machine.")]
    [InlineData(6, "There is no /dev/kvm (ENXIO (6)): this kernel has no KVM, or the machine no EL2. Run without --accel kvm, which emulates the machine.")]
    [InlineData(1, "/dev/kvm is forbidden to the container or sandbox of this process (EPERM (1)): give it the device, such as by `docker run --device /dev/kvm`, or run without --accel kvm, which emulates the machine.")]
    [InlineData(24, "/dev/kvm does not open: errno 24.")]
    public void Says_why_it_does_not_open(int errno, string sentence)
    {
        using var kernel = new RecordingKernel { Opens = -errno };
        var refusal = Assert.Throws<KvmException>(() => OpenKvm.Open(kernel));
        Assert.Equal((sentence, errno), (refusal.Message, refusal.Errno));
        Assert.Equal(["open /dev/kvm"], kernel.Calls);
    }

    [Fact]
    public void Says_where_there_is_none_that_it_is_for_arm64_machines()
    {
        using var kernel = new RecordingKernel { Opens = -2, Architecture = "X64" };
        Assert.Equal(
            "There is no /dev/kvm (ENOENT (2)), and this is no arm64 machine (X64): use one, or run without --accel kvm, which emulates it.",
            Assert.Throws<KvmException>(() => OpenKvm.Open(kernel)).Message);
    }

    [Fact]
    public void Says_how_a_user_gets_to_it()
    {
        using var kernel = new RecordingKernel { Opens = -13 };
        Assert.Equal(
            $"/dev/kvm may not be opened by this user (EACCES (13)): join its group, on Debian by `adduser {Environment.UserName} kvm`, and log in again.",
            Assert.Throws<KvmException>(() => OpenKvm.Open(kernel)).Message);
    }

    // what answers otherwise, its answer, the sentence
    [Theory]
    [InlineData(KvmIoctl.GetApiVersion, 11, "/dev/kvm speaks version 11 of its interface; this host speaks 12.")]
    [InlineData(KvmIoctl.CheckExtension, 0, "/dev/kvm runs no arm64 guests here (aarch64): use an arm64 machine, or run without --accel kvm, which emulates one.")]
    [InlineData(KvmIoctl.CheckExtension, -22, "/dev/kvm runs no arm64 guests here (aarch64): use an arm64 machine, or run without --accel kvm, which emulates one.")]
    [InlineData(KvmIoctl.GetVcpuMmapSize, 128, "kvm_run has 128 bytes: too few.")]
    [InlineData(KvmIoctl.GetVcpuMmapSize, -22, "KVM does not tell the size of kvm_run: EINVAL (22).")]
    public void Refuses_a_KVM_that_it_cannot_use_and_closes_it(uint request, int answer, string sentence)
    {
        var usual = new RecordingKernel().Answers;
        using var kernel = new RecordingKernel { Answers = asked => asked == request ? answer : usual(asked) };
        Assert.Equal(sentence, Assert.Throws<KvmException>(() => OpenKvm.Open(kernel)).Message);
        Assert.Equal("close 3", kernel.Calls[^1]);
    }

    [Fact]
    public void A_machine_is_made_call_by_call_and_closed()
    {
        using var kernel = new RecordingKernel();
        using (var kvm = OpenKvm.Open(kernel))
        using (var vm = kvm.CreateVm())
        {
            Assert.True(vm.HasFilter);
            vm.SetFilter(new(0xc001_0000, 0xffff_ffff, FilterAction.Forward));
            vm.SetFilter(new(5, 5, FilterAction.Deny));
            vm.CreateGic(0x0800_0000, 0x080a_0000, 96);
            vm.SetInterrupt(33, true);
            vm.SetInterrupt(33, false);
        }
        Assert.Equal(
            [
                "open /dev/kvm",
                "3 ae00 0",
                "3 ae03 66", // KVM_CAP_ARM_PSCI_0_2
                "3 ae04 0",
                "3 ae03 a5", // KVM_CAP_ARM_VM_IPA_SIZE
                "3 ae01 1", // as many bits as there are: fewer than KVM's 40
                "4 4018aee3 000000000000000000000000000000000000000000000000", // HAS_DEVICE_ATTR: group 0, attribute 0
                "4 4018aee1 000000000000000000000000000000000000000000000000 @16 000001c00000ff3f02" + new string('0', 30),
                "4 4018aee1 000000000000000000000000000000000000000000000000 @16 050000000100000001" + new string('0', 30),
                "4 c00caee0 070000000000000000000000", // KVM_DEV_TYPE_ARM_VGIC_V3
                "9 4018aee1 000000000300000000000000000000000000000000000000 @16 60000000", // NR_IRQS
                "9 4018aee1 000000000000000002000000000000000000000000000000 @16 0000000800000000", // ADDR, DIST
                "9 4018aee1 000000000000000003000000000000000000000000000000 @16 00000a0800000000", // ADDR, REDIST
                "9 4018aee1 000000000400000000000000000000000000000000000000", // CTRL, INIT
                "4 4008ae61 2100000101000000", // SPI, 33, high
                "4 4008ae61 2100000100000000",
                "close 9",
                "close 4",
                "close 3",
            ],
            kernel.Calls);
    }

    [Fact]
    public void What_is_closed_twice_leaves_the_files_alone_that_have_its_descriptors_by_then()
    {
        using var kernel = new RecordingKernel();
        var kvm = OpenKvm.Open(kernel);
        var vm = kvm.CreateVm();
        vm.CreateGic(0x0800_0000, 0x080a_0000, 96);
        for (var times = 0; times < 2; times++)
        {
            vm.Dispose();
            kvm.Dispose();
        }
        Assert.Equal(["close 9", "close 4", "close 3"], kernel.Calls.Where(call => call.StartsWith("close", StringComparison.Ordinal)));
    }

    // KVM_CAP_ARM_VM_IPA_SIZE, the bits of a machine, the type that KVM_CREATE_VM is given
    [Theory]
    [InlineData(-22, 40, 0)]
    [InlineData(0, 40, 0)]
    [InlineData(32, 32, 32)]
    [InlineData(39, 39, 39)]
    [InlineData(40, 40, 0)]
    [InlineData(52, 40, 0)]
    public void A_machine_has_40_bits_of_address_where_the_CPU_has_as_many(int limit, int bits, int type)
    {
        var usual = new RecordingKernel().Answers;
        var isOpen = false;
        using var kernel = new RecordingKernel { Answers = asked => isOpen && asked == KvmIoctl.CheckExtension ? limit : usual(asked) };
        using var kvm = OpenKvm.Open(kernel);
        isOpen = true;
        Assert.Equal(bits, kvm.AddressBits);
        using var vm = kvm.CreateVm();
        Assert.Contains($"3 ae01 {type:x}", kernel.Calls);
    }

    [Theory]
    [InlineData(17, "it overlaps one that is installed, or those that the kernel reserves")]
    [InlineData(16, "a vCPU of this machine has run already")]
    [InlineData(22, "it is empty, ends before it begins, or has an action that this kernel does not know")]
    [InlineData(6, "this kernel has no filter")]
    [InlineData(12, "The SMCCC filter takes no range 0x00000001 to 0x00000002 (ENOMEM (12)).")]
    public void Says_why_the_filter_takes_no_range(int errno, string why)
    {
        var usual = new RecordingKernel().Answers;
        using var kernel = new RecordingKernel { Answers = asked => asked == KvmIoctl.SetDeviceAttr ? -errno : usual(asked) };
        using var kvm = OpenKvm.Open(kernel);
        using var vm = kvm.CreateVm();
        var refusal = Assert.Throws<KvmException>(() => vm.SetFilter(new(1, 2, FilterAction.Forward)));
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(errno, refusal.Errno);
    }

    [Fact]
    public void A_kernel_that_knows_no_filter_says_so()
    {
        var usual = new RecordingKernel().Answers;
        using var kernel = new RecordingKernel { Answers = asked => asked == KvmIoctl.HasDeviceAttr ? -Errno.Einval : usual(asked) };
        using var kvm = OpenKvm.Open(kernel);
        using var vm = kvm.CreateVm();
        Assert.False(vm.HasFilter);
    }
}

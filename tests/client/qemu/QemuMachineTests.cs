using Hypercalls.Hosts;
using Hypercalls.Protos;
using Hypercalls.Qemu;
using Hypercalls.Qemu.Process;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>What cannot start says so in a sentence.</summary>
[Collection(QemuMachines.Name)]
public sealed class QemuMachineTests
{
    [Fact]
    public void A_missing_QEMU_is_named_with_its_remedy()
    {
        var e = Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = "any", QemuPath = "/nowhere/qemu" }));
        Assert.StartsWith("/nowhere/qemu cannot be started", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("Install it, on Debian: apt-get install qemu-system-arm.", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 512, "0 cores: this host runs 1 to 16.")]
    [InlineData(17, 512, "17 cores: this host runs 1 to 16.")]
    [InlineData(1, 15, "15 MiB of memory: this host runs 16 MiB to 255 GiB.")]
    public void Impossible_machines_are_refused(int cores, int memory, string message) =>
        Assert.Equal(message, Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = "any", Cores = cores, MemoryMiB = memory })).Message);

    [NeedsTheory("qemu-system-aarch64")]
    [InlineData("/nowhere/kernel", null, "The kernel /nowhere/kernel cannot be read")]
    [InlineData("/etc/passwd", null, "/etc/passwd is neither an arm64 Image nor a zImage: its header lacks the magic number.")]
    public void Bad_files_are_named(string kernel, string? initrd, string message) =>
        Assert.StartsWith(message, Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = kernel, Initrd = initrd })).Message, StringComparison.Ordinal);

    [NeedsFact("qemu-system-aarch64")]
    public void What_QEMU_says_when_it_refuses_its_arguments_is_passed_on()
    {
        var kernel = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(kernel, new byte[64]);
            // It refuses some before it opens its sockets and some after.
            var e = Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = kernel, KernelIsRaw = true, ExtraArguments = ["-no-such-option"] }));
            Assert.Equal("QEMU ended at once with code 1: qemu-system-aarch64: -no-such-option: invalid option", e.Message);
            using (var machine = QemuMachine.Start(new() { Kernel = kernel, KernelIsRaw = true, Cpu = "cortex-none" }))
            {
                e = Assert.Throws<HostException>(machine.WaitForBoot);
                Assert.Equal("QEMU ended by itself with code 1. qemu-system-aarch64: unable to find CPU model 'cortex-none'", e.Message);
            }
            e = Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = kernel, KernelIsRaw = true, Initrd = "/nowhere/initrd" }));
            Assert.StartsWith("The initrd /nowhere/initrd cannot be read", e.Message, StringComparison.Ordinal);
            e = Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = kernel, KernelIsRaw = true, InitrdAppendix = new byte[60 << 20], MemoryMiB = 64 }));
            Assert.Equal("Kernel and initrd do not fit into RAM: they need 87 MiB and what the guest itself uses.", e.Message);
        }
        finally
        {
            File.Delete(kernel);
        }
    }

    [Theory]
    [InlineData("max", "7.2.22", "max,pauth-impdef=on")]
    [InlineData("max", "11.1.3", "max,pauth-impdef=on")]
    [InlineData("max", "5.2.0", "max")]
    [InlineData("max", "unknown", "max")]
    [InlineData("max,pauth=off", "7.2.22", "max,pauth=off")]
    [InlineData("cortex-a57", "7.2.22", "cortex-a57")]
    public void The_quick_pointer_authentication_is_asked_for_where_it_is_known(string cpu, string version, string expected) =>
        Assert.Equal(expected, QemuProcess.CpuModel(cpu, version));

    [Theory]
    [InlineData(1, "1,maxcpus=2")]
    [InlineData(2, "2,maxcpus=2")]
    [InlineData(16, "16,maxcpus=16")]
    public void QEMU_never_believes_that_there_can_be_but_one_CPU(int cores, string expected) => Assert.Equal(expected, QemuProcess.Smp(cores));

    [Theory]
    [InlineData(2, Conduit.Hvc, "A guest at EL2 calls by SMC: its HVC goes to itself.")]
    [InlineData(0, Conduit.Smc, "A guest at EL0: this host runs them at EL1 and EL2.")]
    [InlineData(3, Conduit.Smc, "A guest at EL3: this host runs them at EL1 and EL2.")]
    public void A_guest_that_cannot_be_is_bad_input(uint el, Conduit conduit, string message)
    {
        var e = Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = "any", ClientEl = el, Conduit = conduit }));
        Assert.Equal((message, true), (e.Message, e.IsBadInput));
    }

    [NeedsFact("qemu-system-aarch64")]
    public void A_kernel_is_refused_where_it_cannot_start()
    {
        var kernel = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(kernel, new byte[64]);
            var e = Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = kernel, KernelIsRaw = true, KernelIsAArch32 = true, ClientEl = 2 }));
            Assert.Equal(($"{kernel} is an AArch32 kernel: this host starts it at EL1 only.", true), (e.Message, e.IsBadInput));
            using (var machine = QemuMachine.Start(new() { Kernel = kernel, KernelIsRaw = true, KernelIsAArch32 = true, Cpu = "cortex-a76" }))
            {
                e = Assert.Throws<HostException>(machine.WaitForBoot);
                Assert.Equal(("The CPU cortex-a76 knows no AArch32 at EL1: an AArch32 kernel cannot start on it.", true), (e.Message, e.IsBadInput));
            }
            using (var machine = QemuMachine.Start(new() { Kernel = kernel, KernelIsRaw = true, ClientEl = 2, Cpu = "cortex-a57,has_el2=off" }))
            {
                e = Assert.Throws<HostException>(machine.WaitForBoot);
                Assert.Equal(("The CPU cortex-a57,has_el2=off has no EL2: no guest can start there.", true), (e.Message, e.IsBadInput));
            }
            byte[] image = [.. new byte[56], .. "ARMd"u8, .. new byte[4]];
            File.WriteAllBytes(kernel, image);
            e = Assert.Throws<HostException>(() => QemuMachine.Start(new() { Kernel = kernel, KernelIsAArch32 = true }));
            Assert.Equal(($"{kernel} is an arm64 Image: it does not start in AArch32.", true), (e.Message, e.IsBadInput));
        }
        finally
        {
            File.Delete(kernel);
        }
    }

    [Fact]
    public void The_run_folder_is_private_and_leaves_nothing()
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        string path, ram;
        using (var folder = RunFolder.Create(16 << 20))
        {
            path = folder.Path;
            ram = folder.RamFile;
            using var memory = GuestRam.Create(ram, 16 << 20);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(ram).UnixFileMode);
            Assert.Equal(Private, new FileInfo(path).UnixFileMode);
            Assert.Equal(Private, new FileInfo(Path.GetDirectoryName(ram)!).UnixFileMode);
        }
        Assert.False(Directory.Exists(path));
        Assert.False(Directory.Exists(Path.GetDirectoryName(ram)));
    }
}

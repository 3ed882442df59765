using System.Text;
using Hypercalls.Protos;
using Hypercalls.Qemu;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>An unmodified kernel of Debian's installer: SMP by PSCI, hotplug, power-off.</summary>
[Collection(QemuMachines.Name)]
public sealed class LinuxTests
{
    private const string Kernel = "/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64/linux";
    private const string Initrd = "/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64/initrd.gz";

    private const string Script = """
        #!/bin/sh
        mount -t proc proc /proc
        mount -t sysfs sysfs /sys
        echo "online at first: $(cat /sys/devices/system/cpu/online)"
        echo 0 > /sys/devices/system/cpu/cpu1/online
        echo "without cpu1: $(cat /sys/devices/system/cpu/online)"
        echo 1 > /sys/devices/system/cpu/cpu1/online
        echo "with cpu1: $(cat /sys/devices/system/cpu/online)"
        poweroff -f
        """;

    [NeedsTheory("qemu-system-aarch64", Kernel)]
    [InlineData(Conduit.Smc)]
    [InlineData(Conduit.Hvc)]
    public void Boots_four_cores_takes_one_off_and_on_again_and_powers_off(Conduit conduit)
    {
        var archive = new InitramfsArchive();
        archive.AddFile("hypercalls-test", 0b111_101_101, Encoding.ASCII.GetBytes(Script + "\n"));
        var run = GuestRun.Of(new()
        {
            Kernel = Kernel,
            Initrd = Initrd,
            InitrdAppendix = archive.ToGzip(),
            CommandLine = "console=ttyAMA0 rdinit=/hypercalls-test",
            Cores = 4,
            Conduit = conduit,
        });
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        foreach (var line in new[]
        {
            "psci: PSCIv1.1 detected in firmware.",
            "smp: Brought up 1 node, 4 CPUs",
            "psci: CPU1 killed",
        })
        {
            Assert.Contains(line, run.Console, StringComparison.Ordinal);
        }
        Assert.Equal(
            ["online at first: 0-3", "without cpu1: 0,2-3", "with cpu1: 0-3"],
            run.Console.Split('\n').Where(line => line.Contains("cpu1: ", StringComparison.Ordinal) || line.StartsWith("online", StringComparison.Ordinal)));
        Assert.Equal(["Started 1", "Started 2", "Started 3", "Stopped 1", "Started 1"], run.Responder.Told);
        Assert.Equal([conduit], run.Responder.Exits.Where(exit => exit.Exit.Hypercall is not null).Select(exit => exit.Exit.Hypercall.Conduit).Distinct());
    }
}

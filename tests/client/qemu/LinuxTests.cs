using System.Text;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Loading;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>Unmodified kernels of Debian's installer: SMP by PSCI, hotplug, power-off.</summary>
[Collection(QemuMachines.Name)]
public sealed class LinuxTests
{
    private const string Qemu = "qemu-system-aarch64";

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

    [NeedsTheory(Qemu, DebianKernels.Arm64)]
    [InlineData(Conduit.Smc, 1, "cortex-a57", 4)]
    [InlineData(Conduit.Hvc, 1, "neoverse-n1", 4)]
    [InlineData(Conduit.Smc, 1, "cortex-a53", 2)]
    [InlineData(Conduit.Smc, 2, "max", 2)]
    public void AArch64_boots_its_cores_takes_one_off_and_on_again_and_powers_off(Conduit conduit, uint el, string cpu, int cores) =>
        Boots(DebianKernels.Arm64, DebianKernels.Arm64Initrd, conduit, el, cpu, cores, mode: el == 2 ? 0x9u : 0x5, $"CPU: All CPU(s) started at EL{el}");

    [NeedsTheory(Qemu, DebianKernels.Armhf)]
    [InlineData(Conduit.Smc, "cortex-a57")]
    [InlineData(Conduit.Hvc, "cortex-a72")]
    public void AArch32_boots_its_cores_takes_one_off_and_on_again_and_powers_off(Conduit conduit, string cpu) =>
        Boots(DebianKernels.Armhf, DebianKernels.ArmhfInitrd, conduit, 1, cpu, 2, mode: 0x13, "CPU: All CPU(s) started in SVC mode.");

    private static void Boots(string kernel, string initrd, Conduit conduit, uint el, string cpu, int cores, ulong mode, string started)
    {
        var archive = new InitramfsArchive();
        archive.AddFile("hypercalls-test", 0b111_101_101, Encoding.ASCII.GetBytes(Script + "\n"));
        var run = GuestRun.Of(new()
        {
            Kernel = kernel,
            Initrd = initrd,
            InitrdAppendix = archive.ToGzip(),
            CommandLine = "console=ttyAMA0 rdinit=/hypercalls-test",
            Cores = cores,
            ClientEl = el,
            Cpu = cpu,
            Conduit = conduit,
        });
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        foreach (var line in new[]
        {
            "psci: PSCIv1.1 detected in firmware.",
            $"smp: Brought up 1 node, {cores} CPUs",
            started,
            "CPU1 killed",
        })
        {
            Assert.Contains(line, run.Console, StringComparison.Ordinal);
        }
        var others = cores == 2 ? "" : $",2-{cores - 1}";
        Assert.Equal(
            [$"online at first: 0-{cores - 1}", $"without cpu1: 0{others}", $"with cpu1: 0-{cores - 1}"],
            run.Console.Split('\n').Where(line => line.Contains("cpu1: ", StringComparison.Ordinal) || line.StartsWith("online", StringComparison.Ordinal)));
        Assert.Equal([.. Enumerable.Range(1, cores - 1).Select(core => $"Started {core}"), "Stopped 1", "Started 1"], run.Responder.Told);
        var calls = run.Responder.Exits.Where(exit => exit.Exit.Hypercall is not null).Select(exit => exit.Exit.Hypercall).ToList();
        Assert.Equal([conduit], calls.Select(call => call.Conduit).Distinct());
        Assert.Equal([mode], calls.Select(call => call.Pstate & 0x1f).Distinct());
        Assert.All(calls, call => Assert.Equal((true, 0u), (call.HasImm, call.Imm)));
    }
}

using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Unmodified kernels of Debian's installer and all the ways in which they use firmware, served by a real daemon.</summary>
[Collection(QemuMachines.Name)]
public sealed class LinuxTests : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";

    private const string Mounts = """
        #!/bin/sh
        mount -t proc proc /proc
        mount -t sysfs sys /sys
        cpu=/sys/devices/system/cpu

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsTheory(Qemu, DebianKernels.Arm64)]
    [InlineData("smc")]
    [InlineData("hvc")]
    public async Task Each_of_four_cores_goes_off_and_on_twenty_times(string conduit)
    {
        var run = await Tool.RunAsync(Linux(
            DebianKernels.Arm64,
            """
            for round in $(seq 20); do
                for n in 0 1 2 3; do
                    echo 0 > $cpu/cpu$n/online
                    [ $(cat $cpu/cpu$n/online) = 0 ] || echo "guest: core $n is still on in round $round"
                    echo 1 > $cpu/cpu$n/online
                done
            done
            dmesg | grep 'sdei: '
            echo "guest: cores $(cat $cpu/online) are online"
            poweroff -f
            """,
            "--cores", "4", "--conduit", conduit, "--table"));
        Assert.Equal(["guest: cores 0-3 are online"], Said(run));
        Assert.Contains("sdei: SDEIv1.1 (0x0) detected in firmware.", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"\| CPU_ON +\| 83 .*\| SUCCESS 83× +\|", run.Output);
        Assert.Matches(@"\| CPU_OFF +\| 80 ", run.Output);
        // Each core at the boot and each that comes back; each that goes, then all at the end, and once more.
        Assert.Matches(@"\| SDEI_PE_UNMASK +\| 84 .*\| SUCCESS 84× +\|", run.Output);
        Assert.Matches(@"\| SDEI_PE_MASK +\| 88 .*\| 0x0 4×, 0x1 84× +\|", run.Output);
        Assert.Matches(@"\| SDEI_PRIVATE_RESET +\| 8 .*\| SUCCESS 8× +\|", run.Output);
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    [NeedsTheory(Qemu, DebianKernels.Arm64)]
    [InlineData("cold", "SYSTEM_RESET() = ")]
    [InlineData("warm", "SYSTEM_RESET2(0x0, 0x0) = ")]
    public async Task A_guest_reboots_three_times(string mode, string call)
    {
        // The guest asks what to do: nothing that it keeps itself survives each kind of reset.
        using var run = Tool.Start(Linux(
            DebianKernels.Arm64,
            """
            echo "guest: cores $(cat $cpu/online) are online"
            echo "guest: asks"
            read answer
            $answer -f
            """,
            "--cores", "2", "--trace", "--append", $"console=ttyAMA0 rdinit=/init-script quiet reboot={mode}"));
        var errors = run.StandardError.ReadToEndAsync();
        var answers = new Queue<string>(["reboot", "reboot", "reboot", "poweroff"]);
        List<string> lines = [];
        while (await run.StandardOutput.ReadLineAsync().Soon() is { } line)
        {
            lines.Add(line.TrimEnd());
            if (lines[^1] == "guest: asks")
            {
                await run.StandardInput.WriteAsync(answers.Dequeue() + "\n");
                await run.StandardInput.FlushAsync();
            }
        }

        await run.WaitForExitAsync().Soon();
        Assert.Empty(answers);
        Assert.Equal(4, lines.Count(line => line == "guest: cores 0-1 are online"));
        Assert.Equal(3, lines.Count(line => line.Contains(call, StringComparison.Ordinal)));
        Assert.Equal(4, lines.Count(line => line.Contains("  CPU_ON(0x1, ", StringComparison.Ordinal)));
        Assert.Equal(4, lines.Count(line => line.Contains("  SDEI_VERSION() = 0x1000100000000", StringComparison.Ordinal)));
        Assert.Equal(8, lines.Count(line => line.Contains("  SDEI_PE_UNMASK() = SUCCESS", StringComparison.Ordinal)));
        Assert.Single(lines, line => line.Contains("  SYSTEM_OFF() = ", StringComparison.Ordinal));
        Assert.Equal((0, ""), (run.ExitCode, await errors));
    }

    [NeedsTheory(Qemu, DebianKernels.Arm64, DebianKernels.Armhf)]
    [InlineData(DebianKernels.Arm64, "CPU: All CPU(s) started at EL2", "--el", "2", "--cpu", "max")]
    [InlineData(DebianKernels.Armhf, "CPU: All CPU(s) started in SVC mode.")]
    [InlineData(DebianKernels.Armhf, "CPU: All CPU(s) started in SVC mode.", "--conduit", "hvc")]
    public async Task Kernels_of_other_kinds_boot_hotplug_and_power_off(string kernel, string started, params string[] options)
    {
        var run = await Tool.RunAsync(Linux(
            kernel,
            """
            dmesg | grep -E 'psci: PSCI|CPU: All|sdei: '
            echo "guest: SDEI $([ -e /proc/device-tree/firmware/sdei ] && echo is || echo is not) in the tree"
            echo "guest: cores $(cat $cpu/online) are online"
            echo 0 > $cpu/cpu1/online
            echo "guest: cores $(cat $cpu/online) are online"
            echo 1 > $cpu/cpu1/online
            echo "guest: cores $(cat $cpu/online) are online"
            poweroff -f
            """,
            ["--cores", "2", "--table", .. options]));
        var hasSdei = kernel == DebianKernels.Arm64;
        Assert.Equal([$"guest: SDEI {(hasSdei ? "is" : "is not")} in the tree", "guest: cores 0-1 are online", "guest: cores 0 are online", "guest: cores 0-1 are online"], Said(run));
        Assert.Equal(hasSdei, run.Output.Contains("sdei: SDEIv1.1 (0x0) detected in firmware.", StringComparison.Ordinal));
        Assert.Contains("psci: PSCIv1.3 detected in firmware.", run.Output, StringComparison.Ordinal);
        Assert.Contains(started, run.Output, StringComparison.Ordinal);
        Assert.Matches(@"\| CPU_ON +\| 2 .*\| SUCCESS 2× +\|", run.Output);
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task Sixteen_cores_come_up_on_a_system_on_chip_that_is_named()
    {
        var settings = Path.Combine(_folder, "services.json");
        await File.WriteAllTextAsync(settings, """{ "SMCCC": { "socId": { "bank": 4, "code": "0x3B", "number": "0x0777", "revision": 5, "name": "Acme One" } } }""");
        var run = await Tool.RunAsync(Linux(
            DebianKernels.Arm64,
            """
            echo "guest: cores $(cat $cpu/online) are online"
            for fact in soc_id family revision; do echo "guest: $(cat /sys/devices/soc0/$fact)"; done
            poweroff -f
            """,
            "--cores", "16", "--settings", settings));
        Assert.Equal(["guest: cores 0-15 are online", "guest: jep106:043b:0777", "guest: jep106:043b", "guest: 0x00000005"], Said(run));
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    private static IEnumerable<string> Said(Tool run) =>
        run.Output.Split('\n').Select(line => line.TrimEnd()).Where(line => line.StartsWith("guest: ", StringComparison.Ordinal));

    private string[] Linux(string kernel, string script, params string[] more)
    {
        var init = Path.Combine(_folder, "init");
        File.WriteAllText(init, (Mounts + script).ReplaceLineEndings("\n") + "\n");
        string[] append = more.Contains("--append") ? [] : ["--append", "console=ttyAMA0 rdinit=/init-script quiet"];
        var initrd = kernel == DebianKernels.Armhf ? DebianKernels.ArmhfInitrd : DebianKernels.Arm64Initrd;
        return ["run", "--kernel", kernel, "--initrd", initrd, "--init-script", init, "--plugins", TestDaemon.PluginFolder(_folder, "psci", "smccc", "sdei"), .. append, .. more];
    }
}

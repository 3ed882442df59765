using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Power as a guest meets it: real guests, a real daemon, the PSCI service.</summary>
[Collection(QemuMachines.Name)]
public sealed class PowerTests(GuestImages images) : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    private const string IdleStates = """
        { "PSCI": { "suspendStates": [
            { "name": "cpu-standby", "levels": ["standby"], "idle": { "entryLatencyUs": 20, "exitLatencyUs": 50, "minResidencyUs": 300 } },
            { "name": "cpu-sleep", "levels": ["powerDown"], "idle": { "entryLatencyUs": 50, "exitLatencyUs": 200, "minResidencyUs": 2000 } } ] } }
        """;

    private const string IdleScript = """
        #!/bin/sh
        mount -t proc proc /proc
        mount -t sysfs sys /sys
        cpu=/sys/devices/system/cpu
        echo "guest: idle by $(cat $cpu/cpuidle/current_driver)"
        sleep 4
        echo 0 > $cpu/cpu1/online
        sleep 1
        echo "guest: cores $(cat $cpu/online) are online"
        echo 1 > $cpu/cpu1/online
        sleep 2
        echo "guest: cores $(cat $cpu/online) are online"
        for n in 0 1 2 3; do
            echo "usage: $(cat $cpu/cpu$n/cpuidle/state1/name) $(cat $cpu/cpu$n/cpuidle/state1/usage) $(cat $cpu/cpu$n/cpuidle/state2/name) $(cat $cpu/cpu$n/cpuidle/state2/usage)"
        done
        poweroff -f
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsFact(Qemu, Compiler)]
    public async Task A_race_for_a_core_has_one_winner_in_each_of_ten_thousand_rounds()
    {
        var run = await Tool.RunAsync("run", "--kernel", images["race"], "--cores", "4", "--memory", "64", "--plugins", TestDaemon.PluginFolder(_folder, "psci"));
        string[] lines = [.. run.Output.Split('\n').Skip(1)];
        Assert.Equal(["a racer: 0x0", "a racer: 0x0", "starts 10000, successes 10000, wrong 0"], lines[..3]);
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task Cores_that_sleep_are_on_and_resets_keep_what_they_should()
    {
        var run = await Tool.RunAsync("run", "--kernel", images["power"], "--memory", "64", "--plugins", TestDaemon.PluginFolder(_folder, "psci", "trials"));
        Assert.Equal(
            WhatGuestsSay.Power,
            string.Join('\n', run.Output.Split('\n').Skip(1)));
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task No_wake_up_is_lost_between_guest_and_service()
    {
        var run = await Tool.RunAsync("run", "--kernel", images["wakes"], "--cores", "4", "--memory", "64", "--plugins", TestDaemon.PluginFolder(_folder, "psci", "trials"));
        Assert.Matches(@"\Awrong: 0x0\nsleeps: 0x[0-9a-f]+\n\z", string.Join('\n', run.Output.Split('\n').Skip(1)));
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task An_unmodified_Linux_goes_idle_by_standby_and_power_down()
    {
        var (settings, script) = (Path.Combine(_folder, "settings.json"), Path.Combine(_folder, "init"));
        await File.WriteAllTextAsync(settings, IdleStates);
        await File.WriteAllTextAsync(script, IdleScript.ReplaceLineEndings("\n") + "\n");
        var run = await Tool.RunAsync(
            "run", "--kernel", DebianKernels.Arm64, "--initrd", DebianKernels.Arm64Initrd, "--init-script", script, "--append", "console=ttyAMA0 rdinit=/init-script quiet",
            "--cores", "4", "--plugins", TestDaemon.PluginFolder(_folder, "psci", "smccc"), "--settings", settings);
        string[] lines = [.. run.Output.Split('\n').Select(line => line.TrimEnd())];
        Assert.Equal(["guest: idle by psci_idle", "guest: cores 0,2-3 are online", "guest: cores 0-3 are online"], lines.Where(line => line.StartsWith("guest: ", StringComparison.Ordinal)));
        var usage = lines.Where(line => line.StartsWith("usage: ", StringComparison.Ordinal)).Select(line => line.Split(' ')).ToArray();
        Assert.Equal(4, usage.Length);
        Assert.All(usage, core => Assert.Equal(("cpu-standby", "cpu-sleep"), (core[1], core[3])));
        // Which of them a core prefers is the kernel's business and the machine's load; each of them was somebody's, and each core slept.
        Assert.NotEqual(0, usage.Sum(core => Count(core[2])));
        Assert.NotEqual(0, usage.Sum(core => Count(core[4])));
        Assert.All(usage, core => Assert.NotEqual(0, Count(core[2]) + Count(core[4])));
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    private static int Count(string usage) => int.Parse(usage, System.Globalization.CultureInfo.InvariantCulture);
}

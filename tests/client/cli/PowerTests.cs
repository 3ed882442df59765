using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Power as a guest meets it: real guests, a real daemon, the PSCI service.</summary>
[Collection(QemuMachines.Name)]
public sealed class PowerTests(GuestImages images) : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

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
            """
            boot: 0x1
            survivor: 0x0
            standby: AFFINITY_INFO: 0x0
            CPU_ON: 0xfffffffffffffffc
            it sleeps on: yes
            an SGI wakes it with: 0x0
            NODE_HW_STATE: 0x0
            power-down: AFFINITY_INFO: 0x0
            CPU_ON: 0xfffffffffffffffc
            it sleeps on: yes
            an SGI wakes it with: 0x1
            NODE_HW_STATE: 0x0
            frozen ignores an SGI: yes
            CPU_ON: 0x0
            AFFINITY_INFO: 0x0
            off ignores an SGI: yes
            CPU_ON: 0x0
            AFFINITY_INFO: 0x0
            SYSTEM_SUSPEND beside another core: 0xfffffffffffffffd
            SYSTEM_SUSPEND alone: 0x1
            wakes with the timer, EL1h, masked, MMU off: yes
            MEM_PROTECT was: 0x0
            boot: 0x2
            survivor: 0x1
            MEM_PROTECT was: 0x1
            boot: 0x3
            survivor: 0x0
            MEM_PROTECT was: 0x0

            """,
            string.Join('\n', run.Output.Split('\n').Skip(1)));
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }
}

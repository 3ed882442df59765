using System.Globalization;
using System.Text.RegularExpressions;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Daemons that are killed (−9) at chosen places in the life of a call, while a real guest takes its cores off and on: it must not notice.</summary>
[Collection(QemuMachines.Name)]
public sealed partial class DaemonKillTests(ITestOutputHelper output) : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";
    private const int Cores = 4;

    /// <summary>Says each time round; the last line says how many there were.</summary>
    private const string Hotplug = """
        #!/bin/sh
        mount -t proc proc /proc
        mount -t sysfs sys /sys
        cpu=/sys/devices/system/cpu
        exec 3<&0
        (read stop <&3; touch /stop) &
        times=0
        while [ ! -e /stop ]; do
            for n in 1 2 3; do
                echo 0 > $cpu/cpu$n/online
                [ $(cat $cpu/cpu$n/online) = 0 ] || echo "guest: core $n is still on in round $times"
                echo 1 > $cpu/cpu$n/online
                [ $(cat $cpu/cpu$n/online) = 1 ] || echo "guest: core $n is still off in round $times"
            done
            times=$((times + 1))
            echo "guest: round $times"
        done
        dmesg | grep -iE "psci.*(fail|error)|failed to come|didn't die|may not have shut down|BUG|Oops"
        echo "guest: cores $(cat $cpu/online) are online after $times rounds"
        poweroff -f

        """;

    /// <summary>Does what it is told, line by line.</summary>
    private const string Obedient = """
        #!/bin/sh
        mount -t proc proc /proc
        mount -t sysfs sys /sys
        cpu=/sys/devices/system/cpu
        stty -echo
        echo "guest: obeys"
        while read line; do eval "$line"; done

        """;

    private static readonly string[] s_places = ["BeforeDispatch", "AfterService", "AfterCommit", "AfterAnswer"];

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task A_guest_that_hotplugs_does_not_notice_that_daemons_are_killed_in_the_midst_of_its_calls()
    {
        var kills = int.Parse(Environment.GetEnvironmentVariable("HYPERCALLS_KILLS") ?? "30", CultureInfo.InvariantCulture);
        var seed = int.Parse(Environment.GetEnvironmentVariable("HYPERCALLS_FUZZ_SEED") ?? $"{Random.Shared.Next()}", CultureInfo.InvariantCulture);
        output.WriteLine($"HYPERCALLS_KILLS={kills} HYPERCALLS_FUZZ_SEED={seed}");
        var random = new Random(seed);
        var socket = Path.Combine(_folder, "s");
        var plugins = TestDaemon.PluginFolder(_folder, "psci", "smccc", "sdei");
        var daemon = await KillableDaemon.ListeningAsync(socket, plugins);
        try
        {
            using var guest = new GuestTalk(Tool.Start(Guest(socket, Hotplug, "--fallback", "wait", "--table")));
            await guest.HearsAsync("guest: round ");
            await daemon.KillAsync();
            for (var kill = 0; kill < kills; kill++)
            {
                daemon.Dispose();
                var fault = $"{s_places[kill % s_places.Length]}:{random.Next(1, 60)}";
                output.WriteLine($"kill {kill}: {fault}, after {guest.Last}");
                daemon = KillableDaemon.Start(socket, plugins, fault);
                await daemon.ExitAsync();
            }

            daemon.Dispose();
            daemon = KillableDaemon.Start(socket, plugins);
            await guest.HearsAsync("guest: round ");
            await guest.SayAsync("stop");
            await guest.EndAsync();
            output.WriteLine(guest.Text);

            Assert.Equal((0, ""), (guest.ExitCode, guest.Errors));
            var rounds = int.Parse(LastLine().Match(guest.Text).Groups["rounds"].Value, CultureInfo.InvariantCulture);
            Assert.Equal(
                Enumerable.Range(1, rounds).Select(round => $"guest: round {round}").Append($"guest: cores 0-3 are online after {rounds} rounds"),
                guest.Lines.Where(line => line.StartsWith("guest: ", StringComparison.Ordinal)));
            // Every call of the guest is one exit of the host, whoever answered it, and none was given up.
            Assert.Equal((Cores - 1) * (rounds + 1), Count(guest.Text, "CPU_ON"));
            Assert.Equal((Cores - 1) * rounds, Count(guest.Text, "CPU_OFF"));
            Assert.Equal(kills + 1, guest.Lines.Count(line => line.Contains("Attached again", StringComparison.Ordinal)));
        }
        finally
        {
            daemon.Dispose();
        }
    }

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task A_core_that_could_not_be_started_while_no_daemon_was_there_can_be_started_later()
    {
        var socket = Path.Combine(_folder, "s");
        var plugins = TestDaemon.PluginFolder(_folder, "psci", "smccc");
        using var first = await KillableDaemon.ListeningAsync(socket, plugins);
        using var guest = new GuestTalk(Tool.Start(Guest(socket, Obedient, "--fallback", "not-supported")));
        await guest.HearsAsync("guest: obeys");
        await guest.SayAsync("echo 0 > $cpu/cpu3/online && echo guest: off");
        await guest.HearsAsync("guest: off");
        await first.KillAsync();
        await guest.SayAsync("echo 1 > $cpu/cpu3/online || echo guest: not on");
        await guest.HearsAsync("guest: not on");
        using var second = KillableDaemon.Start(socket, plugins);
        await guest.HearsAsync("Attached again after ");
        await guest.SayAsync("echo 1 > $cpu/cpu3/online && echo guest: on");
        await guest.HearsAsync("guest: on");
        await guest.SayAsync("poweroff -f");
        await guest.EndAsync();
        Assert.Equal((0, ""), (guest.ExitCode, guest.Errors));
    }

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task A_machine_stops_with_a_report_where_its_rules_say_so()
    {
        var socket = Path.Combine(_folder, "s");
        using var daemon = await KillableDaemon.ListeningAsync(socket, TestDaemon.PluginFolder(_folder, "psci", "smccc"));
        using var guest = new GuestTalk(Tool.Start(Guest(socket, Obedient, "--fallback", "CPU_ON=stop")));
        await guest.HearsAsync("guest: obeys");
        await guest.SayAsync("echo 0 > $cpu/cpu3/online && echo guest: off");
        await guest.HearsAsync("guest: off");
        await daemon.KillAsync();
        await guest.SayAsync("echo 1 > $cpu/cpu3/online");
        await guest.EndAsync();
        Assert.Equal((1, ""), (guest.ExitCode, guest.Errors));
        Assert.Contains(guest.Lines, line => Regex.IsMatch(line, "^qemu-[0-9]+ failed: The call 0xC4000003 of core 0x[0-2] got no answer: "));
    }

    [GeneratedRegex(@"guest: cores 0-3 are online after (?<rounds>\d+) rounds")]
    private static partial Regex LastLine();

    private static int Count(string text, string function) =>
        int.Parse(Regex.Match(text, $@"\| {function} +\| (?<count>\d+) ").Groups["count"].Value, CultureInfo.InvariantCulture);

    private string[] Guest(string socket, string script, params string[] more)
    {
        var init = Path.Combine(_folder, "init");
        File.WriteAllText(init, script.ReplaceLineEndings("\n"));
        return
        [
            "run", "--kernel", DebianKernels.Arm64, "--initrd", DebianKernels.Arm64Initrd, "--init-script", init, "--cores", $"{Cores}", "--daemon", socket,
            "--append", "console=ttyAMA0 rdinit=/init-script quiet", .. more,
        ];
    }
}

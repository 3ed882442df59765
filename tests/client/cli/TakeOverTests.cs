using System.Diagnostics;
using Hypercalls.Qemu;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Host processes are killed at any moment, and others go on with their guests: nothing is done twice, nothing is lost.</summary>
[Collection(QemuMachines.Name)]
public sealed partial class TakeOverTests(GuestImages images) : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    private const string HotplugScript = """
        #!/bin/sh
        mount -t proc proc /proc
        mount -t sysfs sys /sys
        cpu=/sys/devices/system/cpu
        (read key < /dev/console; touch /typed) &
        round=0
        while [ ! -e /typed ]; do
            round=$((round + 1))
            echo 0 > $cpu/cpu1/online
            [ $(cat $cpu/online) = 0 ] || echo "guest: core 1 is still on in round $round"
            echo 1 > $cpu/cpu1/online
            [ $(cat $cpu/online) = 0-1 ] || echo "guest: core 1 is still off in round $round"
        done
        echo "guest: cores $(cat $cpu/online) are online"
        poweroff -f
        """;

    [NeedsFact(Qemu, Compiler)]
    public async Task Ten_hosts_are_killed_and_every_call_start_stop_and_event_happens_once()
    {
        await using var daemon = await StartDaemonAsync();
        var run = Start("run", "--kernel", images["survivor"], "--cores", "4", "--memory", "64", "--daemon", daemon.Socket, "--name", "survivor");
        Assert.Equal("counts", await run.StandardOutput.ReadLineAsync().Soon());
        var folder = RunFolder();
        for (var round = 0; round < 10; round++)
        {
            await LetGoOnAsync(daemon, "survivor", calls: (ulong)(40 + (37 * round % 90)));
            run = await TakeOverAsync(run, folder);
        }

        await LetGoOnAsync(daemon, "survivor", calls: 100);
        var machine = Assert.Single((await daemon.Operator.ListMachinesAsync(new())).Machines);
        Assert.Equal((1ul, 0ul, 0ul), (machine.Boot, machine.Fallbacks, machine.Failures));
        Assert.Equal(["wrong: 0x0", "anew: 0x0", "rounds went by: yes", "and every core counted: yes"], await EndAsync(run));
        Assert.False(Directory.Exists(folder));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task Ten_hosts_are_killed_and_every_interrupt_is_taken_fires_ends_and_goes_back_once()
    {
        await using var daemon = await StartDaemonAsync();
        var run = Start("run", "--kernel", images["bound"], "--cores", "3", "--memory", "64", "--daemon", daemon.Socket, "--name", "bound");
        Assert.Equal("counts", await run.StandardOutput.ReadLineAsync().Soon());
        var folder = RunFolder();
        for (var round = 0; round < 10; round++)
        {
            await LetGoOnAsync(daemon, "bound", calls: (ulong)(40 + (37 * round % 90)));
            run = await TakeOverAsync(run, folder);
        }

        await LetGoOnAsync(daemon, "bound", calls: 100);
        var machine = Assert.Single((await daemon.Operator.ListMachinesAsync(new())).Machines);
        Assert.Equal((1ul, 0ul), (machine.Boot, machine.Failures));
        Assert.Equal(["wrong: 0x0", "rounds went by: yes"], await EndAsync(run));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task A_machine_goes_on_with_another_daemon_whose_services_begin_anew()
    {
        Process run;
        string folder;
        await using (var daemon = await StartDaemonAsync())
        {
            run = Start("run", "--kernel", images["forgotten"], "--cores", "3", "--memory", "64", "--daemon", daemon.Socket, "--name", "survivor");
            Assert.Equal("counts", await run.StandardOutput.ReadLineAsync().Soon());
            folder = RunFolder();
            await LetGoOnAsync(daemon, "survivor", calls: 100);
            run.Kill();
            await run.WaitForExitAsync().Soon();
        }

        // The one that the run was started with is gone: nothing happens to the run.
        var refused = await RunAsync("run", "--attach", folder);
        Assert.Equal((3, ""), (refused.ExitCode, refused.Output));
        Assert.StartsWith("No daemon answers at unix:", refused.Errors, StringComparison.Ordinal);

        await using var next = await StartDaemonAsync();
        run = Start("run", "--attach", folder, "--daemon", next.Socket);
        Assert.Equal("survivor goes on, with a daemon that does not know it: services begin anew. What its guest printed meanwhile is lost.", await run.StandardOutput.ReadLineAsync().Soon());
        await LetGoOnAsync(next, "survivor", calls: 200);
        var said = await EndAsync(run);
        Assert.Equal("wrong: 0x0", said[0]);
        Assert.Equal("anew: 0x3", said[1]);
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task An_exit_that_is_being_served_when_its_host_is_killed_gets_that_answer()
    {
        await using var daemon = await StartDaemonAsync();
        var (run, folder, _) = await KilledWhileServedAsync(daemon);
        run = await TakeOverAsync(run, folder);
        Assert.Equal(["first: 0x1", "second: 0x2", "starts: 0x0", "context: 0x0"], await EndAsync(run));
    }

    public enum Step
    {
        Decided,
        FellBack,
        StartDecided,
        StartKept,
        StartCarriedOut,
        ShutDown,
        TakeDecided,
        TakeDecidedThatIsRefused,
    }

    // The calls: one served while nobody listened, and what followed it; the decided one is not sent again.
    [NeedsTheory(Qemu, Compiler)]
    [InlineData(Step.Decided, "first: 0x1234,second: 0x2,starts: 0x0,context: 0x0", "3 calls, 0 fallbacks")]
    [InlineData(Step.FellBack, "first: 0xffffffffffffffff,second: 0x1,starts: 0x0,context: 0x0", "3 calls, 1 fallbacks")]
    [InlineData(Step.StartDecided, "first: 0x0,second: 0x2,starts: 0x1,context: 0x77", "4 calls, 0 fallbacks")]
    [InlineData(Step.StartKept, "first: 0x0,second: 0x2,starts: 0x1,context: 0x77", "4 calls, 0 fallbacks")]
    [InlineData(Step.StartCarriedOut, "first: 0x0,second: 0x2,starts: 0x1,context: 0x77", "4 calls, 0 fallbacks")]
    [InlineData(Step.ShutDown, "", "1 calls, 0 fallbacks")]
    [InlineData(Step.TakeDecided, "first: 0x27,second: 0x2,starts: 0x0,context: 0x0", "3 calls, 0 fallbacks")]
    [InlineData(Step.TakeDecidedThatIsRefused, "first: 0xfffffffffffffffd,second: 0x1,starts: 0x0,context: 0x0", "3 calls, 1 fallbacks")]
    public async Task What_a_host_had_decided_when_it_was_killed_the_next_one_carries_out_once(Step step, string said, string log)
    {
        await using var daemon = await StartDaemonAsync();
        var (run, folder, name) = await KilledWhileServedAsync(daemon);
        using (var held = QemuRun.Open(folder))
        {
            DecideAsAHostThatIsKilled(held, step);
        }

        run = Start("run", "--attach", folder);
        var lines = (await EndAsync(run)).Where(line => !line.EndsWith(" meanwhile is lost.", StringComparison.Ordinal));
        Assert.Equal(said, string.Join(',', lines));
        await daemon.SaysAsync($"{name} detached: {log}, 0 failures");
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task A_host_that_is_killed_while_it_starts_leaves_a_machine_that_the_next_one_starts()
    {
        await using var daemon = await StartDaemonAsync();
        for (var round = 0; round < 5; round++)
        {
            var run = Start("run", "--kernel", images["unanswered"], "--memory", "64", "--daemon", daemon.Socket, "--name", $"early-{round}");
            await AwaitAsync(() => Directory.GetFiles(_folder, "run.json", SearchOption.AllDirectories).Length == 1, "the run has a record");
            await Task.Delay(30 * round);
            run.Kill();
            await run.WaitForExitAsync().Soon();
            run = Start("run", "--attach", RunFolder());
            // What it had printed by then, if anything, is lost; its calls are not.
            string[] all = ["first: 0x1", "second: 0x2", "starts: 0x0", "context: 0x0"];
            var said = Array.FindAll(await EndAsync(run), line => all.Any(expected => line.StartsWith(expected[..expected.IndexOf(' ')], StringComparison.Ordinal)));
            Assert.Equal(all[^said.Length..], said);
            Assert.NotEmpty(said);
        }
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task Hosts_are_killed_while_the_machine_resets()
    {
        await using var daemon = await StartDaemonAsync();
        var run = Start("run", "--kernel", images["rebooter"], "--memory", "64", "--daemon", daemon.Socket, "--name", "rebooter");
        Assert.Equal("reboots", await run.StandardOutput.ReadLineAsync().Soon());
        var folder = RunFolder();
        for (var round = 0; round < 6; round++)
        {
            await LetGoOnAsync(daemon, "rebooter", calls: (ulong)(5 + (3 * round)));
            run = await TakeOverAsync(run, folder);
        }

        await LetGoOnAsync(daemon, "rebooter", calls: 20);
        Assert.Equal(["rebooted: yes", "resets that services saw otherwise: 0x0", "starts refused: 0x0"], await EndAsync(run));
    }

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task An_unmodified_Linux_hotplugs_on_while_its_hosts_are_killed()
    {
        await using var daemon = await StartDaemonAsync();
        var script = Path.Combine(_folder, "init");
        await File.WriteAllTextAsync(script, HotplugScript.ReplaceLineEndings("\n") + "\n");
        var run = Start(
            "run", "--kernel", DebianKernels.Arm64, "--initrd", DebianKernels.Arm64Initrd, "--init-script", script, "--append", "console=ttyAMA0 rdinit=/init-script quiet",
            "--daemon", daemon.Socket, "--name", "linux");
        // Once in the boot, then in the script.
        await LetGoOnAsync(daemon, "linux", calls: 5);
        var folder = RunFolder();
        for (var round = 0; round < 4; round++)
        {
            run = await TakeOverAsync(run, folder);
            await LetGoOnAsync(daemon, "linux", calls: 12);
        }

        var said = await EndAsync(run);
        Assert.Equal(["guest: cores 0-1 are online"], said.Select(line => line.TrimEnd()).Where(line => line.StartsWith("guest: ", StringComparison.Ordinal)));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task A_private_daemon_goes_with_its_run_and_another_one_comes()
    {
        var run = Start("run", "--kernel", images["forgotten"], "--memory", "64", "--plugins", TestDaemon.PluginFolder(_folder, "psci", "trials"));
        Assert.StartsWith("No daemon listens: a private one runs", await run.StandardOutput.ReadLineAsync().Soon(), StringComparison.Ordinal);
        Assert.Equal("counts", await run.StandardOutput.ReadLineAsync().Soon());
        var folder = RunFolder();
        run.Kill();
        await run.WaitForExitAsync().Soon();
        var list = await RunAsync("run", "--attach");
        Assert.Equal((2, ""), (list.ExitCode, list.Output));
        Assert.Contains($"  {folder}  qemu-", list.Errors, StringComparison.Ordinal);
        Assert.Contains(folder, (await RunAsync("doctor")).Output, StringComparison.Ordinal);

        run = Start("run", "--attach", folder);
        Assert.StartsWith("No daemon listens: a private one runs", await run.StandardOutput.ReadLineAsync().Soon(), StringComparison.Ordinal);
        Assert.Contains(" goes on, with a daemon that does not know it", await run.StandardOutput.ReadLineAsync().Soon(), StringComparison.Ordinal);
        Assert.Equal("wrong: 0x0", (await EndAsync(run))[0]);
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task What_cannot_be_taken_over_is_refused_and_left_alone()
    {
        await using var daemon = await StartDaemonAsync();
        var run = Start("run", "--kernel", images["survivor"], "--memory", "64", "--daemon", daemon.Socket, "--name", "survivor");
        Assert.Equal("counts", await run.StandardOutput.ReadLineAsync().Soon());
        var folder = RunFolder();
        await RefusedAsync(folder, $"The host process of {folder} lives: a run has one at a time.");
        run.Kill();
        await run.WaitForExitAsync().Soon();

        var link = Path.Combine(_folder, "link");
        Directory.CreateSymbolicLink(link, folder);
        await RefusedAsync(link, $"{link} is a link: name the folder of a run itself.");
        await RefusedAsync(Directory.CreateDirectory(Path.Combine(_folder, "empty"), OwnerOnly).FullName, "is no run: it has no run.json.");
        await RefusedAsync("/nowhere", "There is no folder /nowhere.");
        File.SetUnixFileMode(folder, OwnerOnly | UnixFileMode.GroupRead);
        await RefusedAsync(folder, $"{folder} is open to other users.");
        File.SetUnixFileMode(folder, OwnerOnly);

        var record = Path.Combine(folder, "run.json");
        var kept = await File.ReadAllTextAsync(record);
        File.SetUnixFileMode(record, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        await RefusedAsync(folder, "run.json is not a file of mode 0600, as a host leaves it.");
        File.SetUnixFileMode(record, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (var (changed, sentence) in ((string, string)[])
        [
            (kept.Replace("\"Format\":2", "\"Format\":1", StringComparison.Ordinal), "it is of format 1, and this host knows 2: take the run over with the version that started it."),
            (kept.Replace("\"Cores\":2", "\"Cores\":99", StringComparison.Ordinal), "it is damaged."),
            (kept[..^1], "it is damaged."),
            ("[]", "it is damaged."),
            (kept.Replace("/ram\"", "/rom\"", StringComparison.Ordinal), "is no RAM file of a run."),
        ])
        {
            await File.WriteAllTextAsync(record, changed);
            await RefusedAsync(folder, sentence);
        }

        await File.WriteAllTextAsync(record, kept);
        var conflict = await RunAsync("run", "--attach", folder, "--cores", "4");
        Assert.Equal((2, "--cores: a run that is taken over keeps what it was started with."), (conflict.ExitCode, conflict.Errors.Split('\n')[0]));

        // None of it has harmed the run; what did not happen to it either is that another process got its number.
        run = Start("run", "--attach", folder);
        Assert.Contains("survivor goes on;", await run.StandardOutput.ReadLineAsync().Soon(), StringComparison.Ordinal);
        await LetGoOnAsync(daemon, "survivor", calls: 50);
        run.Kill();
        await run.WaitForExitAsync().Soon();
        using (var qemu = QemuOf(folder)!)
        {
            qemu.Kill();
            await AwaitAsync(() => QemuOf(folder) is null, "QEMU ends");
        }

        var gone = await RunAsync("run", "--attach", folder);
        Assert.Equal((1, $"The QEMU of {folder} has ended: there is nothing left to take over.\n"), (gone.ExitCode, gone.Errors));
        Assert.False(Directory.Exists(folder));

        async Task RefusedAsync(string attached, string sentence)
        {
            var refused = await RunAsync("run", "--attach", attached);
            Assert.Contains(sentence, refused.Errors, StringComparison.Ordinal);
            Assert.Equal((2, ""), (refused.ExitCode, refused.Output));
        }
    }
}

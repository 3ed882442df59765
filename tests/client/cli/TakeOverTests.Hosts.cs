using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Qemu;
using Hypercalls.Qemu.Monitor;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Hosts that are started, killed and replaced.</summary>
public sealed partial class TakeOverTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly List<Process> _runs = [];

    public void Dispose()
    {
        foreach (var run in _runs)
        {
            if (!run.HasExited)
            {
                run.Kill(entireProcessTree: true);
            }

            run.Dispose();
        }

        // What a test that failed has left without a host.
        foreach (var record in Directory.EnumerateFiles(_folder, "run.json", SearchOption.AllDirectories))
        {
            if (QemuOf(Path.GetDirectoryName(record)!) is { } qemu)
            {
                qemu.Kill();
            }
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static void DecideAsAHostThatIsKilled(QemuRun run, Step step)
    {
        using var ram = GuestRam.Open(run.RunFolder.FindRam(run.Process, s_patience), (ulong)run.Record.MemoryMiB << 20);
        Mailbox[] mailboxes = [new(ram, 0, new()), new(ram, 1, new())];
        VcpuRecords[] records = [new(ram, 0), new(ram, 1)];
        Assert.True(mailboxes[0].TryRead(out var exit));
        Assert.NotEqual(exit.Request, mailboxes[0].Response);
        var id = ((ulong)exit.Boot << 32) | exit.Request;
        var start = new CoreStart(exit.Registers.General[2], 0x77, default, Commit: 1000) { Incarnation = 1 };
        var decision = step switch
        {
            Step.FellBack => new(id, Outcome.FellBack, 0),
            Step.Decided => new(id, Outcome.Applied, id),
            Step.ShutDown => new(id, Outcome.Applied, id) { Effect = DecidedEffect.Shutdown },
            Step.TakeDecided or Step.TakeDecidedThatIsRefused => new(id, Outcome.Applied, 0) { Effect = DecidedEffect.Take },
            _ => new Decision(id, Outcome.Applied, id) { Effect = DecidedEffect.PowerOn, Target = 1, Start = start, IfRefused = ulong.MaxValue - 5 },
        };
        var registers = exit.Registers.Copy();
        registers.General[0] = step switch { Step.Decided => 0x1234, Step.TakeDecided => 0x27, Step.FellBack => ulong.MaxValue, _ => 0 };
        mailboxes[0].Prepare(step == Step.ShutDown ? (uint)MailboxLayout.CommandOff : MailboxLayout.CommandResume, loadSystem: false, registers);
        mailboxes[0].PrepareInterrupts(
            exit.Request,
            step switch
            {
                Step.TakeDecided => 27,
                // The monitor's own.
                Step.TakeDecidedThatIsRefused => 40,
                _ => 0,
            },
            takeRefused: ulong.MaxValue - 2);
        records[0].Keep(decision);
        if (step is Step.StartKept or Step.StartCarriedOut)
        {
            records[1].Keep(exit.Boot, start);
        }

        if (step == Step.StartCarriedOut)
        {
            Assert.True(mailboxes[1].TryRead(out var boot));
            var entered = boot.Registers.Copy();
            entered.Enter(start);
            mailboxes[1].Prepare(MailboxLayout.CommandResume, loadSystem: true, entered);
            // It sleeps: nobody rings for it but the host that takes over.
            mailboxes[1].Release(boot.Request);
        }
    }

    private static async Task<TestDaemon> StartDaemonAsync()
    {
        var daemon = new TestDaemon();
        await daemon.InitializeAsync();
        return daemon;
    }

    private Process Start(params string[] arguments)
    {
        var run = Tool.Start(_folder, arguments);
        _runs.Add(run);
        return run;
    }

    private async Task<Tool> RunAsync(params string[] arguments)
    {
        using var run = Tool.Start(_folder, arguments);
        run.StandardInput.Close();
        var (output, errors) = (run.StandardOutput.ReadToEndAsync(), run.StandardError.ReadToEndAsync());
        await run.WaitForExitAsync().Soon();
        return new(run.ExitCode, await output, await errors);
    }

    /// <summary>Kills the host, as nothing can resist, and starts the next one.</summary>
    private async Task<Process> TakeOverAsync(Process run, string folder)
    {
        run.Kill();
        await run.WaitForExitAsync().Soon();
        var next = Start("run", "--attach", folder);
        Assert.EndsWith(" goes on; what its guest printed meanwhile is lost.", await next.StandardOutput.ReadLineAsync().Soon() ?? await next.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        return next;
    }

    /// <summary>Types a key and reads to the end.</summary>
    private static async Task<string[]> EndAsync(Process run)
    {
        await run.StandardInput.WriteAsync("q\n");
        await run.StandardInput.FlushAsync();
        var said = await run.StandardOutput.ReadToEndAsync().Soon();
        await run.WaitForExitAsync().Soon();
        Assert.Equal((0, ""), (run.ExitCode, await run.StandardError.ReadToEndAsync()));
        return said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Waits until the daemon has got that many calls more.</summary>
    private static async Task LetGoOnAsync(TestDaemon daemon, string machine, ulong calls)
    {
        ulong? before = null;
        await AwaitAsync(
            () =>
            {
                var now = daemon.Operator.ListMachines(new()).Machines.FirstOrDefault(attached => attached.Name == machine)?.Calls ?? 0;
                before ??= now;
                return now >= before + calls;
            },
            $"{machine} makes {calls} calls more");
    }

    /// <summary>A host that was killed while the guest's first call was being served. On a busy machine the kill can come after the answer: then with another guest.</summary>
    private async Task<(Process Run, string Folder, string Name)> KilledWhileServedAsync(TestDaemon daemon)
    {
        for (var round = 0; round < 10; round++)
        {
            var name = $"asker-{round}";
            var run = Start("run", "--kernel", images["unanswered"], "--memory", "64", "--daemon", daemon.Socket, "--name", name);
            Assert.Equal("asks", await run.StandardOutput.ReadLineAsync().Soon());
            await AwaitAsync(() => daemon.Operator.ListMachines(new()).Machines.Any(machine => machine.Name == name && machine.Calls == 1), "the guest asks");
            run.Kill();
            await run.WaitForExitAsync().Soon();
            var folder = RunFolder();
            if (IsAtFirstCall(folder))
            {
                return (run, folder, name);
            }

            // Answered already; nobody lets it go further than its last call.
            using (var qemu = QemuOf(folder))
            {
                qemu?.Kill();
                await AwaitAsync(() => QemuOf(folder) is null, "QEMU ends");
            }

            Directory.Delete(folder, recursive: true);
        }

        throw new InvalidOperationException("Ten times the guest's call was answered before its host could be killed.");
    }

    /// <summary>It is the only one that the guest makes by SMC before it ends.</summary>
    private static bool IsAtFirstCall(string folder)
    {
        using var run = QemuRun.Open(folder);
        using var ram = GuestRam.Open(run.RunFolder.FindRam(run.Process, s_patience), (ulong)run.Record.MemoryMiB << 20);
        var mailbox = new Mailbox(ram, 0, new());
        return mailbox.TryRead(out var exit) && exit.Reason == MailboxLayout.ReasonEl3 && exit.Registers.General[2] != 0 && exit.Request != mailbox.Response;
    }

    private static async Task AwaitAsync(Func<bool> happened, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!happened())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < s_patience, $"In vain: {what}.");
            await Task.Delay(10);
        }
    }

    private string RunFolder() => Path.GetDirectoryName(Assert.Single(Directory.GetFiles(_folder, "run.json", SearchOption.AllDirectories)))!;

    /// <summary>The QEMU of a run; null when it has ended.</summary>
    private static Process? QemuOf(string folder)
    {
        var id = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "run.json"))).RootElement.GetProperty("QemuProcess").GetInt32();
        try
        {
            var state = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            return state.Contains(") Z ", StringComparison.Ordinal) ? null : Process.GetProcessById(id);
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            return null;
        }
    }
}

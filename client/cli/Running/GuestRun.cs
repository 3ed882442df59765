using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Grpc.Core;
using Hypercalls.Cli.Output;
using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Running;

/// <summary>One guest, from its first exit to its power-off: machine, session, trace.</summary>
internal sealed class GuestRun(CallInvoker daemon, Func<IGuestMachine> start, string name, SharedTerminal terminal, bool watches, bool showCalls, bool allowShadowed, HostRules rules) : IDisposable
{
    private static readonly TimeSpan s_recordPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_betweenWatches = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentBag<TimedForwarder> _vcpus = [];
    private readonly CallSummary _summary = new();
    private readonly CancellationTokenSource _over = new();
    private string? _lost;
    private volatile bool _isRunning;

    /// <summary>What is typed goes to the guest.</summary>
    public bool TakesKeyboard { get; init; } = true;

    /// <summary>Runs the guest until it ends.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(CancellationToken cancelled)
    {
        using var machine = await Task.Run(start, CancellationToken.None);
        using var stopping = cancelled.Register(machine.Stop);
        // The terminal has gone: nobody can see or stop this guest any longer.
        using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            machine.Stop();
        });
        var boot = await Task.Run(machine.WaitForBoot, CancellationToken.None);
        await using var session = await MachineSession.AttachAsync(
            daemon, () => Hello(boot, machine), boot.Kernel, machine.AttentionWanted, rules with { Token = token => machine.KeepToken(token.Span) }, cancelled);
        if (machine.IsTakenOver)
        {
            terminal.WriteLine(session.Welcome.Known
                ? $"{name} goes on; what its guest printed meanwhile is lost."
                : $"{name} goes on, with a daemon that does not know it: services begin anew. What its guest printed meanwhile is lost.");
        }

        var watching = watches ? await WatchAsync(cancelled) : Task.CompletedTask;
        _ = StopWithDaemonAsync(session, machine);
        MachineEnd end;
        using (TakesKeyboard ? RawKeyboard.Take(typed => machine.WriteConsole(typed.Span), machine.Stop) : null)
        {
            end = await RunOnThreadAsync(machine, boot, session);
        }

        // Before detaching, which ends the session too.
        var lost = Volatile.Read(ref _lost);
        await DetachAsync(session, end);
        await ShowLastAsync(watching);
        await _over.CancelAsync();
        return Report(end, lost);
    }

    public void Dispose() => _over.Dispose();

    public Spectre.Console.Table Table() => _summary.ToTable(_vcpus);

    private Hello Hello(MachineBoot boot, IGuestMachine machine)
    {
        // Before it runs, its boot core is about to; one that was taken over runs, in a boot that the daemon may not know yet.
        var (number, cores) = _isRunning ? machine.Now() : machine.IsTakenOver ? (boot.Boot, machine.Now().Cores) : (boot.Boot, [.. boot.Cores.Select((mpidr, number) => new Core { Mpidr = mpidr, Power = number == 0 ? CorePower.On : CorePower.Off })]);
        var hello = new Hello
        {
            Machine = name,
            Token = Google.Protobuf.ByteString.CopyFrom(machine.Token.Span),
            Boot = number,
            Ram = { new MemoryRange { Base = boot.RamBase, Size = boot.RamSize } },
            Cores = { cores },
            Conduits = { boot.Conduits },
            ClientEl = boot.ClientEl,
            ExecutionState = boot.ExecutionState,
            Interrupts = { boot.Interrupts },
            Host = boot.Host,
        };
        hello.RequiredFeatures.Add("attention");
        hello.OptionalFeatures.Add("supply");
        if (allowShadowed)
        {
            hello.OptionalFeatures.Add("allow-shadowed");
        }

        hello.IdRegisters.Add(boot.IdRegisters.Select(register => new NamedRegister { Name = register.Key, Value = register.Value }));
        return hello;
    }

    /// <summary>The machine's own threads do the work; this one waits for its end.</summary>
    private Task<MachineEnd> RunOnThreadAsync(IGuestMachine machine, MachineBoot boot, MachineSession session)
    {
        _isRunning = true;
        return Task.Factory.StartNew(() => machine.Run(boot, session.Accepted.DeviceTree, mpidr => Vcpu(machine, session, mpidr), session), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private TimedForwarder Vcpu(IGuestMachine machine, MachineSession session, ulong mpidr)
    {
        var vcpu = new TimedForwarder(session.OpenVcpu(mpidr, need => machine.Supply(mpidr, need)));
        _vcpus.Add(vcpu);
        return vcpu;
    }

    /// <summary>A daemon that hangs must not keep the run from ending.</summary>
    private static async Task DetachAsync(MachineSession session, MachineEnd end) =>
        await session.DetachAsync(end.GetType().Name).WaitAsync(s_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task StopWithDaemonAsync(MachineSession session, IGuestMachine machine)
    {
        var reason = await session.Ended;
        if (Interlocked.CompareExchange(ref _lost, reason, null) is null)
        {
            machine.Stop();
        }
    }

    /// <summary>Watches the machine's calls until the run is over, by every daemon that serves it.</summary>
    /// <returns>Once the first daemon watches: the first call must not be missed.</returns>
    private async Task<Task> WatchAsync(CancellationToken cancelled)
    {
        var watch = Watch();
        await watch.ResponseHeadersAsync.WaitAsync(s_patience, cancelled);
        return FollowAsync(watch);
    }

    private AsyncServerStreamingCall<CallRecord> Watch() => new Operator.OperatorClient(daemon).Watch(new() { Machine = name }, cancellationToken: CancellationToken.None);

    private async Task FollowAsync(AsyncServerStreamingCall<CallRecord> watch)
    {
        while (true)
        {
            using (watch)
            {
                await FollowAsync(watch.ResponseStream);
            }

            if (!rules.Reconnects || _over.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(s_betweenWatches, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            watch = Watch();
        }
    }

    private async Task FollowAsync(IAsyncStreamReader<CallRecord> records)
    {
        try
        {
            while (await records.MoveNext(_over.Token))
            {
                _summary.Add(records.Current);
                if (showCalls)
                {
                    terminal.WriteLine(CallLine.Of(records.Current, withNames: false, withMachine: false));
                }
            }
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            // The daemon or this run has ended; the session says which.
        }
    }

    /// <summary>Records travel behind the calls: waits for those of the last ones.</summary>
    private async Task ShowLastAsync(Task watching)
    {
        var started = Stopwatch.GetTimestamp();
        while (_summary.Count < _vcpus.Sum(vcpu => vcpu.Count) && !watching.IsCompleted && Stopwatch.GetElapsedTime(started) < s_recordPatience)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        }

        terminal.ShowAll();
    }

    private int Report(MachineEnd end, string? lost)
    {
        switch (end)
        {
            case MachineEnd.PoweredOff:
                return ExitCode.Done;
            case MachineEnd.Failed failed:
                terminal.WriteLine($"{name} failed: {failed.Report}");
                return ExitCode.Failed;
            case MachineEnd.Stopped when lost is not null:
                terminal.WriteLine($"{name} was stopped, because nobody answers its calls any longer: {lost}");
                return ExitCode.Failed;
            default:
                return ExitCode.Done;
        }
    }
}

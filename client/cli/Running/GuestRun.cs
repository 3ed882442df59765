using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Grpc.Core;
using Hypercalls.Cli.Output;
using Hypercalls.Client;
using Hypercalls.Protos;
using Hypercalls.Qemu;

namespace Hypercalls.Cli.Running;

/// <summary>One guest, from its first exit to its power-off: machine, session, trace.</summary>
internal sealed class GuestRun(CallInvoker daemon, Func<QemuMachine> start, string name, SharedTerminal terminal, bool watches, bool showCalls, bool allowShadowed)
{
    private static readonly TimeSpan LastRecords = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentBag<TimedForwarder> _vcpus = [];
    private readonly CallSummary _summary = new();
    private string? _lost;

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
            daemon, Hello(machine, boot), KernelShare.None("the monitor forwards every call"), machine.AttentionWanted, cancelled);
        // Before any exit is forwarded: from then on the daemon knows things of this machine that another host process must not lose.
        KeepToken(machine, session.Welcome);
        using var watch = watches ? new Operator.OperatorClient(daemon).Watch(new() { Machine = name }, cancellationToken: CancellationToken.None) : null;
        var watching = watch is null ? Task.CompletedTask : await WatchAsync(watch).WaitAsync(s_patience, cancelled);
        _ = StopWithDaemonAsync(session, machine);
        MachineEnd end;
        using (RawKeyboard.Take(typed => machine.WriteConsole(typed.Span), machine.Stop))
        {
            end = await RunOnThreadAsync(machine, boot, session);
        }

        // Before detaching, which ends the session too.
        var lost = Volatile.Read(ref _lost);
        await DetachAsync(session, end);
        await ShowLastAsync(watching);
        return Report(end, lost);
    }

    public Spectre.Console.Table Table() => _summary.ToTable(_vcpus);

    private void KeepToken(QemuMachine machine, Welcome welcome)
    {
        if (machine.IsTakenOver)
        {
            terminal.WriteLine(machine.Token.Span.SequenceEqual(welcome.Token.Span)
                ? $"{name} goes on; what its guest printed meanwhile is lost."
                : $"{name} goes on, with a daemon that does not know it: services begin anew. What its guest printed meanwhile is lost.");
        }

        machine.KeepToken(welcome.Token.Span);
    }

    private Hello Hello(QemuMachine machine, QemuBoot boot)
    {
        var hello = new Hello
        {
            Machine = name,
            Token = Google.Protobuf.ByteString.CopyFrom(machine.Token.Span),
            Boot = boot.Boot,
            Ram = { new MemoryRange { Base = boot.RamBase, Size = boot.RamSize } },
            Cores = { machine.CoresNow },
            Conduits = { boot.Conduits },
            ClientEl = boot.ClientEl,
            Host = boot.Host,
        };
        hello.RequiredFeatures.Add("attention");
        if (allowShadowed)
        {
            hello.OptionalFeatures.Add("allow-shadowed");
        }

        hello.IdRegisters.Add(boot.IdRegisters.Select(register => new NamedRegister { Name = register.Key, Value = register.Value }));
        return hello;
    }

    /// <summary>The machine's own threads do the work; this one waits for its end.</summary>
    private Task<MachineEnd> RunOnThreadAsync(QemuMachine machine, QemuBoot boot, MachineSession session) =>
        Task.Factory.StartNew(() => machine.Run(boot, session.Accepted.DeviceTree, mpidr => Vcpu(session, mpidr), session), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private TimedForwarder Vcpu(MachineSession session, ulong mpidr)
    {
        var vcpu = new TimedForwarder(session.OpenVcpu(mpidr));
        _vcpus.Add(vcpu);
        return vcpu;
    }

    /// <summary>A daemon that hangs must not keep the run from ending.</summary>
    private static async Task DetachAsync(MachineSession session, MachineEnd end) =>
        await session.DetachAsync(end.GetType().Name).WaitAsync(s_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task StopWithDaemonAsync(MachineSession session, QemuMachine machine)
    {
        var reason = await session.Ended;
        if (Interlocked.CompareExchange(ref _lost, reason, null) is null)
        {
            machine.Stop();
        }
    }

    private async Task<Task> WatchAsync(AsyncServerStreamingCall<CallRecord> watch)
    {
        // Its headers say that it watches: the first call must not be missed.
        await watch.ResponseHeadersAsync;
        return FollowAsync(watch.ResponseStream);
    }

    private async Task FollowAsync(IAsyncStreamReader<CallRecord> records)
    {
        try
        {
            while (await records.MoveNext(CancellationToken.None))
            {
                _summary.Add(records.Current);
                if (showCalls)
                {
                    terminal.WriteLine(CallLine.Of(records.Current, withNames: false, withMachine: false));
                }
            }
        }
        catch (RpcException)
        {
            // The daemon or this run has ended; the session says which.
        }
    }

    /// <summary>Records travel behind the calls: waits for those of the last ones.</summary>
    private async Task ShowLastAsync(Task watching)
    {
        var started = Stopwatch.GetTimestamp();
        while (_summary.Count < _vcpus.Sum(vcpu => vcpu.Count) && !watching.IsCompleted && Stopwatch.GetElapsedTime(started) < LastRecords)
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

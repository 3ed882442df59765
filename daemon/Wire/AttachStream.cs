using System.Threading.Channels;
using Grpc.Core;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire;

/// <summary>One machine's stream: Hello, Welcome, Ready, then changes in both directions.</summary>
internal sealed class AttachStream(MachineRegistry machines, ServiceSet services, DaemonOptions options, ILogger<AttachStream> log)
{
    public const uint ProtocolMajor = 1;
    public const uint ProtocolMinor = 0;

    private static readonly TimeSpan s_lastWord = TimeSpan.FromSeconds(1);

    /// <summary>What a host may require of this daemon.</summary>
    private static readonly string[] Features = ["attention", FromWire.SupplyFeature, AllowShadowed];

    /// <summary>The host takes a machine whose kernel keeps what a service insists on.</summary>
    private const string AllowShadowed = "allow-shadowed";

    public async Task RunAsync(IAsyncStreamReader<Protos.HostMessage> requests, IServerStreamWriter<Protos.DaemonMessage> responses, Peer peer, CancellationToken cancelled)
    {
        try
        {
            var (machine, line, nodes) = await AttachAsync(requests, responses, peer, cancelled);
            var detached = false;
            try
            {
                await responses.WriteAsync(Accepted(machine, nodes), cancelled);
                detached = await ConverseAsync(machine, line, requests, responses, cancelled);
            }
            finally
            {
                if (machine.Lose(line))
                {
                    if (detached)
                    {
                        machines.Remove(machine);
                    }

                    Log.Left(log, machine.Name, detached ? "detached" : $"lost; kept for {options.KeepLostSeconds} s", machine.Calls, machine.Fallbacks, machine.Failures);
                }
            }
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            Log.Refused(log, e.Message);
            throw Refusal.Of(e);
        }
    }

    /// <summary>Hello, Welcome, Ready: nothing of an attached machine changes before the Ready of its next host is accepted.</summary>
    private async Task<(Machine, HostLine, ValueArray<DeviceTreeNode>)> AttachAsync(
        IAsyncStreamReader<Protos.HostMessage> requests, IServerStreamWriter<Protos.DaemonMessage> responses, Peer peer, CancellationToken cancelled)
    {
        var hello = (await NextAsync(requests, "hello: did not follow the opening of Attach", cancelled))?.Hello;
        if (hello is null)
        {
            throw new BadMessageException("hello", "must be the first message of Attach.");
        }

        CheckProtocol(hello);
        var description = FromWire.Machine(hello);
        var machine = machines.Expect(description, hello.Host, hello.Boot, hello.Token.Span, peer);
        try
        {
            var token = machine.Greet();
            await responses.WriteAsync(Welcome(machine, token), cancelled);
            var served = new ServedMachine(services, FromWire.Ranges(await ReadyAsync(requests, cancelled)), description.Conduits);
            if (served.Conflicts.Refusal(hello.RequiredFeatures.Contains(AllowShadowed) || hello.OptionalFeatures.Contains(AllowShadowed)) is { } refusal)
            {
                throw new OutOfOrderException($"ready: {refusal}");
            }

            // Elsewhere: a service that hangs over it must not keep this host waiting, which gets in by trying again.
            var attaching = Task.Run(() => machines.Attach(machine, description, hello.Host, hello.Boot, served, token), CancellationToken.None);
            var (line, nodes) = await AttachedAsync(machine, attaching, cancelled);
            LogAttached(machine, served);
            return (machine, line, nodes);
        }
        catch
        {
            machines.Abandon(machine);
            throw;
        }
    }

    private async Task<(HostLine, ValueArray<DeviceTreeNode>)> AttachedAsync(Machine machine, Task<(HostLine Line, ValueArray<DeviceTreeNode>)> attaching, CancellationToken cancelled)
    {
        try
        {
            return await attaching.WaitAsync(options.Deadline * 2, cancelled);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // Should it come to its end after all, nobody is there.
            _ = attaching.ContinueWith(late => late.Exception is null && machine.Lose(late.Result.Line), TaskScheduler.Default);
            if (e is TimeoutException)
            {
                throw new DeposedException();
            }

            throw;
        }
    }

    private static async Task<Protos.Ready> ReadyAsync(IAsyncStreamReader<Protos.HostMessage> requests, CancellationToken cancelled) =>
        (await NextAsync(requests, "ready: did not follow Welcome", cancelled))?.Ready ?? throw new BadMessageException("ready", "must follow Welcome.");

    /// <summary>A host that says nothing is not kept.</summary>
    private static async Task<Protos.HostMessage?> NextAsync(IAsyncStreamReader<Protos.HostMessage> requests, string missing, CancellationToken cancelled)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        patience.CancelAfter(Limits.FirstMessage);
        try
        {
            return await requests.MoveNext(patience.Token) ? requests.Current : null;
        }
        catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
        {
            throw new OutOfOrderException($"{missing} within {Limits.FirstMessage.TotalSeconds} s.");
        }
    }

    private void LogAttached(Machine machine, ServedMachine served)
    {
        Log.Attached(log, machine.Name, machine.Host, machine.Description.Cores.Count, machine.Boot);
        foreach (var sentence in served.Conflicts.Sentences())
        {
            Log.Shadowed(log, machine.Name, sentence);
        }

        foreach (var sentence in machine.Remarks)
        {
            Log.Remark(log, machine.Name, sentence);
        }
    }

    private static Protos.DaemonMessage Accepted(Machine machine, ValueArray<DeviceTreeNode> nodes) => new()
    {
        RangesChanged = new() { Served = { ToWire.Served(machine.Served.Services) }, DeviceTree = { nodes.Select(ToWire.DeviceTreeNode) } },
    };

    private Protos.DaemonMessage Welcome(Machine machine, byte[] token) => new()
    {
        Welcome = new()
        {
            ProtocolMajor = ProtocolMajor,
            ProtocolMinor = ProtocolMinor,
            Features = { Features },
            Token = Google.Protobuf.ByteString.CopyFrom(token),
            Known = machine.IsReady.IsCompleted,
            Incarnation = machine.Incarnation,
            Deadlines = new() { DaemonUs = (ulong)options.DeadlineMs * 1000, HostUs = (ulong)options.HostDeadlineMs * 1000 },
            Served = { ToWire.Served(services) },
        },
    };

    private static void CheckProtocol(Protos.Hello hello)
    {
        if (hello.ProtocolMajor != ProtocolMajor)
        {
            throw new OutOfOrderException($"hello.protocol_major: the host speaks version {hello.ProtocolMajor}, this daemon {ProtocolMajor}.");
        }

        FromWire.Limit("hello.required_features", hello.RequiredFeatures.Count, Limits.Ranges);
        FromWire.Limit("hello.optional_features", hello.OptionalFeatures.Count, Limits.Ranges);
        if (hello.RequiredFeatures.FirstOrDefault(feature => !Features.Contains(feature)) is { } missing)
        {
            throw new OutOfOrderException($"hello.required_features: this daemon lacks {FromWire.Name("hello.required_features", missing, mayBeEmpty: true)}.");
        }
    }

    /// <summary>Until the host detaches (true) or the stream ends.</summary>
    private static async Task<bool> ConverseAsync(
        Machine machine, HostLine line, IAsyncStreamReader<Protos.HostMessage> requests, IServerStreamWriter<Protos.DaemonMessage> responses, CancellationToken cancelled)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        // A daemon that stops says goodbye first, which ends the writer.
        var reading = ReadAsync(machine, line, requests, ending.Token).MayBeAbandoned();
        var writing = WriteAsync(line.Reader, responses, cancelled).MayBeAbandoned();
        // Whoever ends first ends the stream: the writer when another host took over or the daemon stops.
        var first = await Task.WhenAny(reading, writing, line.Overflowed);
        if (first == line.Overflowed)
        {
            throw new TooManyException($"{machine.Name} has left too many messages unread. Attach again: all that holds is told anew.");
        }

        if (first == reading)
        {
            return await reading;
        }

        await writing;
        await ending.CancelAsync();
        // Not for ever: a service may hang in what the host reported last.
        await ((Task)reading).WaitAsync(s_lastWord, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return false;
    }

    private static async Task WriteAsync(ChannelReader<ToHost> toHost, IServerStreamWriter<Protos.DaemonMessage> responses, CancellationToken cancelled)
    {
        await foreach (var message in toHost.ReadAllAsync(cancelled))
        {
            await responses.WriteAsync(ToWire.ToHost(message), cancelled);
        }
    }

    private static async Task<bool> ReadAsync(Machine machine, HostLine line, IAsyncStreamReader<Protos.HostMessage> requests, CancellationToken cancelled)
    {
        while (await requests.MoveNext(cancelled))
        {
            var message = requests.Current;
            switch (message.MessageCase)
            {
                case Protos.HostMessage.MessageOneofCase.CoreState:
                    machine.CoreChanged(line, FromWire.Mpidr("core_state.core", message.CoreState.Core), FromWire.Change(message.CoreState.Change));
                    break;
                case Protos.HostMessage.MessageOneofCase.FellBack:
                    var fellBack = message.FellBack;
                    machine.FellBack(line, FromWire.Mpidr("fell_back.core", fellBack.Core), fellBack.Boot, new(fellBack.ExitId, Applied: false, fellBack.LastApplied));
                    break;
                case Protos.HostMessage.MessageOneofCase.Reset:
                    FromWire.Name("reset.cause", message.Reset.Cause, mayBeEmpty: true);
                    machine.Reset(line, message.Reset.Boot, FromWire.Reset(message.Reset.Kind));
                    break;
                case Protos.HostMessage.MessageOneofCase.Detach:
                    return true;
                default:
                    throw new BadMessageException("message", $"{message.MessageCase} is not expected here.");
            }
        }

        return false;
    }
}

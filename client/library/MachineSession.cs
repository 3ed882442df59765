using System.Threading.Channels;
using Grpc.Core;
using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>A machine attached to the daemon: its Attach stream, and the way to its vCPU streams.</summary>
public sealed class MachineSession : IMachineEvents, IAsyncDisposable
{
    /// <summary>The version of the wire that this library speaks.</summary>
    public const uint ProtocolMajor = 1;

    /// <summary>The minor version.</summary>
    public const uint ProtocolMinor = 0;

    private readonly CallInvoker _daemon;
    private readonly AsyncDuplexStreamingCall<HostMessage, DaemonMessage> _stream;
    private readonly Channel<HostMessage> _toDaemon = Channel.CreateUnbounded<HostMessage>(new() { SingleReader = true });
    private readonly Action<ulong, bool> _attention;
    private readonly Task _sending;

    private MachineSession(CallInvoker daemon, AsyncDuplexStreamingCall<HostMessage, DaemonMessage> stream, Welcome welcome, RangesChanged accepted, Action<ulong, bool> attention)
    {
        _daemon = daemon;
        _stream = stream;
        _attention = attention;
        Welcome = welcome;
        Accepted = accepted;
        HostDeadline = TimeSpan.FromMicroseconds(welcome.Deadlines.HostUs);
        _sending = SendAsync();
        Ended = ReceiveAsync();
    }

    /// <summary>What the daemon greeted with: token, incarnation, deadlines, served ranges.</summary>
    public Welcome Welcome { get; }

    /// <summary>After this an exit falls back.</summary>
    public TimeSpan HostDeadline { get; }

    /// <summary>Completes when the daemon has ended the stream or is gone, with its reason in a sentence.</summary>
    public Task<string> Ended { get; }

    /// <summary>What this machine is served behind its kernel, and what its device tree gets for it.</summary>
    public RangesChanged Accepted { get; }

    /// <summary>Says Hello, waits for the Welcome, hands over the kernel register and waits until the daemon accepts it.</summary>
    /// <param name="daemon">A channel to the daemon.</param>
    /// <param name="hello">The machine; protocol numbers are filled in here.</param>
    /// <param name="ready">Its kernel register.</param>
    /// <param name="attention">Told (MPIDR, wanted) as the daemon asks, on a thread of the library; must not block.</param>
    /// <param name="cancelled">Gives up.</param>
    /// <returns>The session.</returns>
    /// <exception cref="RpcException">The daemon refuses, with a sentence, or cannot be reached.</exception>
    public static async Task<MachineSession> AttachAsync(
        CallInvoker daemon, Hello hello, Ready ready, Action<ulong, bool> attention, CancellationToken cancelled = default)
    {
        ArgumentNullException.ThrowIfNull(hello);
        hello.ProtocolMajor = ProtocolMajor;
        hello.ProtocolMinor = ProtocolMinor;
        var stream = new Protos.Hypercalls.HypercallsClient(daemon).Attach(cancellationToken: CancellationToken.None);
        try
        {
            await stream.RequestStream.WriteAsync(new() { Hello = hello }, cancelled).ConfigureAwait(false);
            if (!await stream.ResponseStream.MoveNext(cancelled).ConfigureAwait(false) || stream.ResponseStream.Current.Welcome is not { } welcome)
            {
                throw new RpcException(new Status(StatusCode.Internal, "The daemon did not answer Hello with Welcome."));
            }

            if (welcome.ProtocolMajor != ProtocolMajor || welcome.Deadlines is not { HostUs: > 0 })
            {
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"The daemon speaks protocol {welcome.ProtocolMajor}, this host {ProtocolMajor}."));
            }

            await stream.RequestStream.WriteAsync(new() { Ready = ready }, cancelled).ConfigureAwait(false);
            if (!await stream.ResponseStream.MoveNext(cancelled).ConfigureAwait(false) || stream.ResponseStream.Current.RangesChanged is not { } accepted)
            {
                throw new RpcException(new Status(StatusCode.Internal, "The daemon did not answer Ready with the ranges it serves."));
            }

            return new(daemon, stream, welcome, accepted, attention);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The way of one vCPU's exits; for one thread.</summary>
    /// <param name="mpidr">A core of the machine.</param>
    /// <returns>Opens its stream with the first exit.</returns>
    public VcpuSession OpenVcpu(ulong mpidr) => new(_daemon, Welcome.Token, Accepted, mpidr, HostDeadline);

    /// <inheritdoc/>
    public void CoreStateChanged(ulong mpidr, CoreChange change, ulong commit) =>
        _toDaemon.Writer.TryWrite(new() { CoreState = new() { Core = mpidr, Change = change, Commit = commit } });

    /// <inheritdoc/>
    public void ResetHappened(ulong boot, ResetKind kind, string cause) =>
        _toDaemon.Writer.TryWrite(new() { Reset = new() { Boot = boot, Kind = kind, Cause = cause } });

    /// <summary>Tells the daemon that the machine is gone, and waits until it knows.</summary>
    /// <param name="reason">For people.</param>
    /// <returns>When the stream has ended.</returns>
    public async Task DetachAsync(string reason)
    {
        _toDaemon.Writer.TryWrite(new() { Detach = new() { Reason = reason } });
        _toDaemon.Writer.TryComplete();
        await Ended.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _toDaemon.Writer.TryComplete();
        _stream.Dispose();
        await Ended.ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        try
        {
            await foreach (var message in _toDaemon.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                await _stream.RequestStream.WriteAsync(message).ConfigureAwait(false);
            }

            await _stream.RequestStream.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // The stream is gone; Ended says why.
        }
    }

    private async Task<string> ReceiveAsync()
    {
        var reason = "The daemon ended the stream.";
        try
        {
            while (await _stream.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
            {
                var message = _stream.ResponseStream.Current;
                if (message.Attention is { } attention)
                {
                    _attention(attention.Core, attention.Wanted);
                }
                else if (message.Goodbye is { } goodbye)
                {
                    reason = goodbye.Reason;
                }
            }
        }
        catch (RpcException e)
        {
            reason = e.Status.Detail;
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException or IOException)
        {
            reason = "The session was closed.";
        }

        _toDaemon.Writer.TryComplete();
        return reason;
    }
}

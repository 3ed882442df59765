using System.Diagnostics;
using Grpc.Core;
using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>One vCPU's exits, forwarded one at a time by the thread that owns the vCPU.</summary>
public sealed class VcpuSession : IExitForwarder, IDisposable
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(5);

    private readonly Protos.Hypercalls.HypercallsClient _daemon;
    private readonly VcpuMessage _open;
    private readonly VcpuMessage _message = new();
    private readonly TimeSpan _deadline;
    private readonly ServedRange[] _uses;
    private readonly ManualResetEventSlim _closed = new();
    private AsyncDuplexStreamingCall<VcpuMessage, DaemonToVcpu>? _stream;
    private Task? _writing;
    private Task<bool>? _reading;

    internal VcpuSession(CallInvoker daemon, Google.Protobuf.ByteString token, RangesChanged accepted, ulong mpidr, TimeSpan deadline)
    {
        _daemon = new(daemon);
        _open = new() { Open = new() { Token = token, Mpidr = mpidr } };
        _deadline = deadline;
        _uses = [.. accepted.Served.Where(range => range.Uses != 0)];
    }

    /// <summary>Exits that fell back.</summary>
    public long Fallbacks { get; private set; }

    /// <summary>Why the last stream ended, in a sentence; empty while none has.</summary>
    public string LastFault { get; private set; } = "";

    /// <inheritdoc/>
    public Answer? Forward(Exit exit)
    {
        ArgumentNullException.ThrowIfNull(exit);
        var started = Stopwatch.GetTimestamp();
        var pause = ShortestPause;
        _message.Exit = exit;
        while (Remaining(started) is var remaining && remaining > TimeSpan.Zero)
        {
            try
            {
                return Send(exit, started);
            }
            catch (Exception fault) when (Unwrap(fault) is RpcException or IOException or InvalidOperationException or OperationCanceledException)
            {
                // The daemon keeps the committed answer of an exit: sending it again on a new stream does nothing twice.
                LastFault = Unwrap(fault) is RpcException refusal ? refusal.Status.Detail : Unwrap(fault).Message;
                Drop();
                if (_closed.Wait(pause < remaining ? pause : remaining))
                {
                    break;
                }

                pause *= 2;
            }
        }

        Fallbacks++;
        return null;
    }

    /// <inheritdoc/>
    public uint Uses(Conduit conduit, uint imm, uint w0)
    {
        const uint SveHint = 1u << 16;
        // The hint of a fast call is no part of its identity.
        var id = imm == 0 && w0 >> 31 != 0 ? w0 & ~SveHint : w0;
        foreach (var range in _uses)
        {
            if (range.Imm == imm && id >= range.First && id <= range.Last && range.Conduits.Contains(conduit))
            {
                return range.Uses;
            }
        }

        return 0;
    }

    /// <summary>Ends the stream; an exit that waits falls back.</summary>
    public void Close() => _closed.Set();

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        Drop();
        _closed.Dispose();
    }

    private static Exception Unwrap(Exception fault) => fault is AggregateException { InnerException: { } inner } ? inner : fault;

    private Answer? Send(Exit exit, long started)
    {
        if (_stream is null)
        {
            _stream = _daemon.RunVcpu();
            Await(_stream.RequestStream.WriteAsync(_open), started);
        }

        Written(started);
        _writing = _stream.RequestStream.WriteAsync(_message);
        if (_writing.IsFaulted)
        {
            Written(started);
        }

        // The answer says that the exit was written: a thread that waits for both wakes twice.
        while (true)
        {
            _reading ??= _stream.ResponseStream.MoveNext(CancellationToken.None);
            Await(_reading, started);
            var more = _reading.Result;
            _reading = null;
            if (!more)
            {
                throw new IOException("The daemon ended the vCPU's stream.");
            }

            // An answer that came after its exit fell back is dropped here.
            if (_stream.ResponseStream.Current.Answer is { } answer && answer.ExitId == exit.ExitId && answer.Boot == exit.Boot)
            {
                return answer;
            }
        }
    }

    private void Written(long started)
    {
        if (_writing is { } writing)
        {
            Await(writing, started);
        }
    }

    private void Await(Task task, long started)
    {
        var remaining = Remaining(started);
        if (remaining <= TimeSpan.Zero || !task.Wait(remaining))
        {
            throw new IOException($"No answer within {_deadline.TotalMilliseconds} ms.");
        }
    }

    private TimeSpan Remaining(long started) => _deadline - Stopwatch.GetElapsedTime(started);

    private void Drop()
    {
        _stream?.Dispose();
        _stream = null;
        _writing = null;
        _reading = null;
    }
}

using System.Diagnostics;
using Grpc.Core;
using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>One vCPU's exits, forwarded one at a time by the thread that owns the vCPU.</summary>
public sealed class VcpuSession : IExitForwarder, IDisposable
{
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    private readonly MachineSession _session;
    private readonly Protos.Hypercalls.HypercallsClient _daemon;
    private readonly ulong _mpidr;
    private readonly Func<Need, Supply?>? _supply;
    private readonly VcpuMessage _message = new();
    private volatile AsyncDuplexStreamingCall<VcpuMessage, DaemonToVcpu>? _stream;
    private Attachment? _opened;
    private Task? _writing;
    private Task<bool>? _reading;
    private volatile bool _isClosed;

    internal VcpuSession(MachineSession session, CallInvoker daemon, ulong mpidr, Func<Need, Supply?>? supply) =>
        (_session, _daemon, _mpidr, _supply) = (session, new(daemon), mpidr, supply);

    /// <summary>Exits that fell back.</summary>
    public long Fallbacks { get; private set; }

    /// <summary>Exits that were sent again, after a lost connection or a deadline.</summary>
    public long Retries { get; private set; }

    /// <summary>Why the last attempt without an answer was one, in a sentence; empty while none was.</summary>
    public string LastFault { get; private set; } = "";

    /// <inheritdoc/>
    public Answer? Forward(Exit exit)
    {
        ArgumentNullException.ThrowIfNull(exit);
        _message.Exit = exit;
        for (var attempt = 1; ; attempt++)
        {
            if (TryForward(exit) is { } answer)
            {
                return answer;
            }

            if (_isClosed || _session.IsClosing)
            {
                return null;
            }

            var unanswered = WithoutAnswer(exit);
            if (unanswered != Unanswered.FallsBack && _session.Over is { } over)
            {
                throw new MachineStopsException($"{Describe(exit)} gets no answer any more: {over}");
            }

            switch (unanswered)
            {
                case Unanswered.FallsBack:
                    Fallbacks++;
                    return null;
                case Unanswered.Waits:
                    Report(exit, attempt);
                    break;
                case Unanswered.IsRepeated when attempt <= _session.Rules.NoReturnRetries:
                    break;
                case Unanswered.IsRepeated:
                    throw new MachineStopsException($"{Describe(exit)} got no answer in {attempt} attempts, and it must not return: {LastFault}");
                default:
                    throw new MachineStopsException($"{Describe(exit)} got no answer: {LastFault}");
            }

            Retries++;
        }
    }

    /// <inheritdoc/>
    public uint Uses(Conduit conduit, uint imm, uint w0) => Newest?.Special(conduit, imm, w0)?.Uses ?? 0;

    /// <inheritdoc/>
    public void GaveUp(Exit exit)
    {
        ArgumentNullException.ThrowIfNull(exit);
        var lastApplied = exit.Previous is { Outcome: Outcome.Applied } previous ? previous.ExitId : exit.Previous?.LastApplied ?? 0;
        _session.ReportFallback(new() { FellBack = new() { Core = _mpidr, Boot = exit.Boot, ExitId = exit.ExitId, LastApplied = lastApplied } });
    }

    /// <summary>Ends the stream; an exit that waits falls back.</summary>
    public void Close()
    {
        _isClosed = true;
        // Whoever waits for an answer waits for this stream.
        _stream?.Dispose();
        _session.Wake();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        Drop();
    }

    internal bool IsClosed => _isClosed;

    private enum Unanswered
    {
        FallsBack,
        Waits,
        IsRepeated,
        StopsTheMachine,
    }

    private Attachment? Newest => _session.Current ?? _opened;

    private Unanswered WithoutAnswer(Exit exit)
    {
        switch (exit.KindCase)
        {
            case Exit.KindOneofCase.Hypercall:
                var call = exit.Hypercall;
                var isRepeated = Newest?.Special(call.Conduit, call.Imm, (uint)call.X0) is { NoReturn: true };
                return (_session.Rules.Of(call) ?? (isRepeated && _session.Rules.Fallback != FallbackPolicy.Wait ? null : _session.Rules.Fallback)) switch
                {
                    null => Unanswered.IsRepeated,
                    FallbackPolicy.NotSupported => Unanswered.FallsBack,
                    FallbackPolicy.Wait => Unanswered.Waits,
                    _ => Unanswered.StopsTheMachine,
                };
            case Exit.KindOneofCase.Attention or Exit.KindOneofCase.Wake:
                // The guest goes on unchanged.
                return Unanswered.FallsBack;
            default:
                return Unanswered.StopsTheMachine;
        }
    }

    /// <summary>Until the deadline, over as many connections as it takes; null where there is no answer by then, or the daemon says that it serves none.</summary>
    private Answer? TryForward(Exit exit)
    {
        var started = Stopwatch.GetTimestamp();
        var pause = s_shortestPause;
        while (!_isClosed && !_session.IsClosing && _session.Over is null && Remaining(started) is var remaining && remaining > TimeSpan.Zero)
        {
            var attachment = _session.Current;
            if (attachment is null)
            {
                LastFault = "No daemon is there.";
                _session.WaitForChange(null, remaining, this);
                continue;
            }

            try
            {
                var answer = Send(exit, attachment, started);
                if (!answer.NotServed)
                {
                    return answer;
                }

                LastFault = answer.Note;
                Pause(exit, attachment);
                return null;
            }
            catch (Exception fault) when (Unwrap(fault) is RpcException or IOException or InvalidOperationException or OperationCanceledException)
            {
                // The daemon keeps the committed answer of an exit: sending it again on a new stream does nothing twice.
                LastFault = Unwrap(fault) is RpcException refusal ? refusal.Status.Detail : Unwrap(fault).Message;
                Drop();
                remaining = Remaining(started);
                _session.WaitForChange(attachment, pause < remaining ? pause : remaining, this);
                pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
            }
        }

        return null;
    }

    /// <summary>What is to be sent again is not sent at once: the machine is busy.</summary>
    private void Pause(Exit exit, Attachment attachment)
    {
        if (WithoutAnswer(exit) is Unanswered.Waits or Unanswered.IsRepeated)
        {
            _session.WaitForChange(attachment, s_longestPause, this);
        }
    }

    private void Report(Exit exit, int attempt)
    {
        if (attempt == 1)
        {
            _session.Rules.Log?.Invoke($"{Describe(exit)} waits for an answer: {LastFault}");
        }
    }

    private string Describe(Exit exit) => exit.Hypercall is { } call
        ? $"The call 0x{(uint)call.X0:X8} of core 0x{_mpidr:x}"
        : $"The {exit.KindCase} exit of core 0x{_mpidr:x}";

    private static Exception Unwrap(Exception fault) => fault is AggregateException { InnerException: { } inner } ? inner : fault;

    private Answer Send(Exit exit, Attachment attachment, long started)
    {
        var stream = _stream;
        if (stream is null || _opened != attachment)
        {
            Drop();
            _stream = stream = _daemon.RunVcpu();
            _opened = attachment;
            if (_isClosed)
            {
                throw new IOException("The vCPU's stream was closed.");
            }

            Await(stream.RequestStream.WriteAsync(new() { Open = new() { Token = attachment.Welcome.Token, Mpidr = _mpidr } }), started);
        }

        Written(started);
        _writing = stream.RequestStream.WriteAsync(_message);
        if (_writing.IsFaulted)
        {
            Written(started);
        }

        // The answer says that the exit was written: a thread that waits for both wakes twice.
        while (true)
        {
            var reading = _reading ??= stream.ResponseStream.MoveNext(CancellationToken.None);
            Await(reading, started);
            var more = reading.Result;
            _reading = null;
            if (!more)
            {
                throw new IOException("The daemon ended the vCPU's stream.");
            }

            if (stream.ResponseStream.Current.Need is { } need)
            {
                if (need.ExitId == exit.ExitId)
                {
                    Written(started);
                    _writing = stream.RequestStream.WriteAsync(new() { Supply = _supply?.Invoke(need) ?? new() { ExitId = need.ExitId } });
                }

                continue;
            }

            // An answer that came after its exit fell back is dropped here.
            if (stream.ResponseStream.Current.Answer is { } answer && answer.ExitId == exit.ExitId && answer.Boot == exit.Boot)
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
            throw new IOException($"No answer within {_session.HostDeadline.TotalMilliseconds} ms.");
        }
    }

    private TimeSpan Remaining(long started) => _session.HostDeadline - Stopwatch.GetElapsedTime(started);

    private void Drop()
    {
        _stream?.Dispose();
        (_stream, _writing, _reading) = (null, null, null);
    }
}

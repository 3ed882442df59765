using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>One connection after the other.</summary>
public sealed partial class MachineSession
{
    private void Begin(AttachCall call)
    {
        lock (_changed)
        {
            _newest = call.Attachment;
            _attachment = call.Attachment;
            Attachments++;
            Monitor.PulseAll(_changed);
        }
    }

    private async Task<AttachCall> GreetAsync(CancellationToken cancelled)
    {
        // From now on changes are kept for this connection, and then the machine is looked at: what changes in between is told twice, not missed.
        var reports = new ReportQueue();
        _reports = reports;
        foreach (var fallback in _fallbacks)
        {
            reports.Add(fallback);
        }

        var hello = _describe();
        reports.DropBefore(hello.Boot);
        hello.Token = _token.IsEmpty ? hello.Token : _token;
        return await AttachCall.GreetAsync(_daemon, hello, _ready, Keep, cancelled).ConfigureAwait(false);
    }

    private void Keep(ByteString token)
    {
        _token = token;
        _rules.Token?.Invoke(token.Memory);
    }

    private async Task<AttachCall> GreetFirstAsync(CancellationToken cancelled)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        patience.CancelAfter(s_greetingPatience);
        try
        {
            return await GreetAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (patience.IsCancellationRequested && !cancelled.IsCancellationRequested && e is RpcException or OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"The daemon has not taken the machine within {s_greetingPatience.TotalSeconds} s."));
        }
    }

    /// <summary>Until the session is over, whatever happens: nobody may wait for a daemon that nobody looks for.</summary>
    private async Task<string> RunAsync(AttachCall call)
    {
        string reason;
        try
        {
            reason = await ConnectAsync(call).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            reason = $"The session failed: {e.Message}";
        }

        lock (_changed)
        {
            (_attachment, _over) = (null, reason);
            Monitor.PulseAll(_changed);
        }

        return reason;
    }

    /// <summary>From one connection to the next.</summary>
    private async Task<string> ConnectAsync(AttachCall call)
    {
        while (true)
        {
            var (reason, isFinal) = await ConverseAsync(call).ConfigureAwait(false);
            lock (_changed)
            {
                _attachment = null;
                if (isFinal || IsClosing || _isDetaching || !_rules.Reconnects)
                {
                    return reason;
                }
            }

            _rules.Log?.Invoke($"The connection to the daemon is lost: {reason} Calls wait for it, {_newest.Deadline.TotalSeconds:0.#} s at most where nothing else is said of them.");
            var lost = Stopwatch.GetTimestamp();
            var (next, refusal) = await AttachAgainAsync().ConfigureAwait(false);
            if (next is null)
            {
                return refusal;
            }

            call = next;
            Begin(call);
            _rules.Log?.Invoke(
                $"Attached again after {Stopwatch.GetElapsedTime(lost).TotalSeconds:0.0} s: {(call.Attachment.Welcome.Known ? "the daemon kept the machine's state." : "this daemon did not know the machine; the cores' power is as this host says, all else its services knew begins anew.")}");
        }
    }

    private async Task<(string Reason, bool IsFinal)> ConverseAsync(AttachCall call)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        var reports = _reports;
        var sending = SendAsync(call, reports, ending.Token);
        var said = await ListenAsync(call, ending.Token).ConfigureAwait(false);
        reports.Close();
        await ending.CancelAsync().ConfigureAwait(false);
        call.Dispose();
        await sending.ConfigureAwait(false);
        // What this daemon wanted, the next one may not: it tells what it wants, and not what it does not want.
        foreach (var core in _wanted)
        {
            _attention(core, false);
        }

        _wanted.Clear();
        return said;
    }

    private static async Task SendAsync(AttachCall call, ReportQueue reports, CancellationToken ending)
    {
        try
        {
            await call.SendAsync(reports, ending).ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // The stream is gone, or about to be: who listens learns why.
        }
        finally
        {
            // A connection that takes no reports keeps none.
            reports.Close();
        }
    }

    private async Task<(string Reason, bool IsFinal)> ListenAsync(AttachCall call, CancellationToken ending)
    {
        Goodbye? goodbye = null;
        try
        {
            while (await call.NextAsync(ending).ConfigureAwait(false) is { } message)
            {
                if (message.Attention is { } attention)
                {
                    _ = attention.Wanted ? _wanted.Add(attention.Core) : _wanted.Remove(attention.Core);
                    _attention(attention.Core, attention.Wanted);
                }

                goodbye = message.Goodbye ?? goodbye;
            }

            return (goodbye?.Reason ?? "The daemon ended the stream.", goodbye is { TakenOver: true });
        }
        catch (RpcException e)
        {
            return (goodbye?.Reason ?? e.Status.Detail, goodbye is { TakenOver: true });
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException or IOException)
        {
            return ("The session was closed.", IsClosing);
        }
    }

    /// <summary>Tries until a daemon takes the machine; null, with a sentence, where it is refused for too long or the session closes.</summary>
    private async Task<(AttachCall?, string Refusal)> AttachAgainAsync()
    {
        var pause = s_shortestPause;
        long? refusedSince = null;
        while (!IsClosing)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
            patience.CancelAfter(s_greetingPatience);
            try
            {
                return (await GreetAsync(patience.Token).ConfigureAwait(false), "");
            }
            catch (Exception e) when (e is RpcException or IOException or OperationCanceledException or InvalidOperationException)
            {
                _reports.Close();
                refusedSince = e is RpcException refused && IsRefusal(refused.StatusCode) ? refusedSince ?? Stopwatch.GetTimestamp() : null;
                if (refusedSince is { } since && Stopwatch.GetElapsedTime(since) >= _rules.RefusalPatience)
                {
                    return (null, $"The daemon does not take the machine back: {((RpcException)e).Status.Detail}");
                }

                await Task.Delay(pause, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
            }
        }

        return (null, "The session was closed.");
    }

    private static bool IsRefusal(StatusCode code) =>
        code is StatusCode.FailedPrecondition or StatusCode.PermissionDenied or StatusCode.InvalidArgument or StatusCode.Unauthenticated or StatusCode.Unimplemented;
}

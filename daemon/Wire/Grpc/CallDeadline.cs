using Hypercalls.Grpc;
using Microsoft.AspNetCore.Http;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>When a call is to be over, and the token that says so; the token is cancelled too when the caller gives up.</summary>
internal sealed class CallDeadline : IAsyncDisposable
{
    // A timer cannot run for longer.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _source;
    private Timer? _timer;
    private Task? _passing;

    private CallDeadline(TimeSpan timeout, CancellationToken aborted)
    {
        _timeout = timeout;
        var now = DateTime.UtcNow;
        Time = timeout < DateTime.MaxValue - now ? now + timeout : DateTime.MaxValue;
        _source = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        Token = _source.Token;
    }

    /// <summary>A sentence where the caller has set a deadline that cannot be read.</summary>
    public string? Error { get; private init; }

    /// <summary>In UTC.</summary>
    public DateTime Time { get; }

    public CancellationToken Token { get; }

    /// <summary>The deadline of a request, null where the caller set none.</summary>
    public static CallDeadline? Of(HttpContext http)
    {
        if (http.Request.Headers[GrpcHeaders.Timeout] is not [var text, ..])
        {
            return null;
        }

        return GrpcTimeout.TryParse(text ?? "", out var timeout)
            ? new CallDeadline(timeout, http.RequestAborted)
            : new CallDeadline(default, http.RequestAborted) { Error = $"grpc-timeout is not a number of at most eight digits and a unit: '{text}'." };
    }

    /// <summary>From now on the deadline ends the call, then cancels the token.</summary>
    public void Start(Func<Task> end)
    {
        if (_timeout < s_longestTimer)
        {
            _timer = new Timer(_ => _passing = PassAsync(end), null, _timeout, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Completes when the deadline does nothing to the call any more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_timer is not null)
        {
            // This waits for a callback that runs, so that what it has started is known.
            await _timer.DisposeAsync();
        }

        if (_passing is not null)
        {
            await _passing;
        }

        _source.Dispose();
    }

    private async Task PassAsync(Func<Task> end)
    {
        var ending = end();

        // Not before the call is over, and not after its last byte has left: a caller that takes nothing would keep the handler.
        await _source.CancelAsync();
        await ending;
    }
}

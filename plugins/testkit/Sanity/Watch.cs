using System.Diagnostics;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Knows since when a service's code runs, and ends the thread that comes back too late.</summary>
internal sealed class Watch
{
    private readonly Lock _lock = new();
    private Stage? _stage;
    private string _during = "";
    private long _since;
    private bool _isLeft;

    /// <summary>Runs a service's code.</summary>
    /// <param name="stage">Where; null while there is none.</param>
    /// <param name="during">What, for people.</param>
    /// <param name="code">What runs.</param>
    /// <returns>How long it took.</returns>
    /// <exception cref="AbandonedException">Nobody waits any longer.</exception>
    public TimeSpan Over(Stage? stage, string during, Action code)
    {
        var began = Stopwatch.GetTimestamp();
        lock (_lock)
        {
            ThrowIfLeft();
            (_stage, _during, _since) = (stage, during, began);
        }

        try
        {
            code();
        }
        finally
        {
            lock (_lock)
            {
                _since = 0;
                ThrowIfLeft();
            }
        }

        return Stopwatch.GetElapsedTime(began);
    }

    /// <summary>Nobody waits any longer for what has run for longer than this.</summary>
    public bool TryLeave(TimeSpan limit, out Stage? stage, out string during)
    {
        lock (_lock)
        {
            (stage, during) = (_stage, _during);
            return _isLeft = _since != 0 && Stopwatch.GetElapsedTime(_since) > limit;
        }
    }

    private void ThrowIfLeft()
    {
        if (_isLeft)
        {
            throw new AbandonedException();
        }
    }
}

/// <summary>Ends a thread that nobody waits for.</summary>
internal sealed class AbandonedException : Exception;

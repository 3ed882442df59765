using System.Diagnostics;

namespace Hypercalls.Daemon.Machines;

/// <summary>
/// Whose turn it is to change a machine: one thread at a time, like a lock. Unlike a lock it can be taken from a thread whose service does not come back:
/// that thread learns it where it leaves the service, and has changed nothing since it entered.
/// </summary>
/// <param name="patience">How long a service may run while others wait.</param>
internal sealed class Turn(TimeSpan patience)
{
    private const int Nobody = 0;
    private const long InNoService = 0;

    private readonly object _gate = new();
    private volatile int _holder = Nobody;
    private long _inServiceSince = InNoService;

    /// <summary>Whether a service has kept the turn for so long, whether or not anybody waits for it.</summary>
    public bool IsInServiceSince(TimeSpan atLeast)
    {
        lock (_gate)
        {
            return _inServiceSince != InNoService && Stopwatch.GetElapsedTime(_inServiceSince) >= atLeast;
        }
    }

    /// <summary>Whether this thread has the turn: true until it returns it or a service of it is not waited for any longer.</summary>
    public bool IsMine => _holder == Environment.CurrentManagedThreadId;

    /// <summary>Takes the turn; no service can keep it for ever.</summary>
    /// <returns>Whether it was taken from a service that has not come back: whoever has it now goes on without that one.</returns>
    public bool Take()
    {
        bool wasOverdue;
        while (!TryTake(patience, mayDepose: true, out wasOverdue))
        {
        }

        return wasOverdue;
    }

    /// <summary>Takes the turn if it can be had in time.</summary>
    /// <param name="atMost">How long to wait for it.</param>
    /// <param name="mayDepose">False for those who only look: they take it from nobody.</param>
    /// <param name="wasOverdue">Whether it was taken from a service that has not come back.</param>
    public bool TryTake(TimeSpan atMost, bool mayDepose, out bool wasOverdue)
    {
        wasOverdue = false;
        SpinBriefly();
        var began = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            while (_holder != Nobody)
            {
                var left = atMost - Stopwatch.GetElapsedTime(began);
                if (mayDepose && UntilOverdue is { } untilOverdue)
                {
                    wasOverdue = untilOverdue <= TimeSpan.Zero;
                    left = untilOverdue < left ? untilOverdue : left;
                }

                if (wasOverdue)
                {
                    break;
                }

                if (left <= TimeSpan.Zero)
                {
                    return false;
                }

                // Rounded up: a wait of 0 ms would be no wait.
                Monitor.Wait(_gate, (int)Math.Ceiling(left.TotalMilliseconds));
            }

            (_holder, _inServiceSince) = (Environment.CurrentManagedThreadId, InNoService);
            return true;
        }
    }

    /// <summary>Gives the turn back, if it has not been taken away.</summary>
    public void Return()
    {
        lock (_gate)
        {
            if (IsMine)
            {
                (_holder, _inServiceSince) = (Nobody, InNoService);
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>The holder is about to run a service's code.</summary>
    public void EnterService()
    {
        lock (_gate)
        {
            Debug.Assert(IsMine, "Only the holder runs services.");
            _inServiceSince = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>The service has come back.</summary>
    /// <exception cref="DeposedException">Too late: somebody else has the turn, and what the service gave must be dropped.</exception>
    public void LeaveService()
    {
        lock (_gate)
        {
            if (!IsMine)
            {
                throw new DeposedException();
            }

            _inServiceSince = InNoService;
        }
    }

    /// <summary>Null while no service runs.</summary>
    private TimeSpan? UntilOverdue => _inServiceSince == InNoService ? null : patience - Stopwatch.GetElapsedTime(_inServiceSince);

    // Most turns last microseconds, and waking a sleeper costs more than that.
    private void SpinBriefly()
    {
        var spin = default(SpinWait);
        while (_holder != Nobody && !spin.NextSpinWillYield)
        {
            spin.SpinOnce();
        }
    }
}

/// <summary>The turn of this thread was taken away while a service kept it: another thread goes on with the machine.</summary>
internal sealed class DeposedException() : Exception("The service took so long that the machine went on without it.");

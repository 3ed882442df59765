using System.Diagnostics;

namespace Hypercalls.Daemon.Machines;

/// <summary>
/// Whose turn it is to change a machine: one thread at a time, like a lock. Unlike a lock it can be taken from a thread whose service does not come back:
/// that thread learns it where it leaves the service, and has changed nothing since it entered.
/// </summary>
/// <param name="patience">How long a service may run while others wait. It is measured in slices that somebody has seen: a process that was stopped for a while, or a machine that slept, counts as one.</param>
internal sealed class Turn(TimeSpan patience)
{
    private const int Nobody = 0;
    private const int Slices = 10;

    private readonly TimeSpan _slice = patience / Slices;
    private readonly object _gate = new();
    private volatile int _holder = Nobody;
    private bool _isInService;
    private long _section;
    private int _slicesSeen;
    private long _sliceBegan;

    /// <summary>Which stay in a service goes on now; null where none does. Each has a number of its own.</summary>
    public long? Section
    {
        get
        {
            lock (_gate)
            {
                return _isInService ? _section : null;
            }
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

    /// <summary>Takes the turn from that stay in a service, however long it has lasted; false where it is over.</summary>
    public bool TryTakeFrom(long section)
    {
        lock (_gate)
        {
            if (!_isInService || _section != section)
            {
                return false;
            }

            Give();
            return true;
        }
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
                wasOverdue = mayDepose && IsOverdue();
                if (wasOverdue)
                {
                    break;
                }

                var left = atMost - Stopwatch.GetElapsedTime(began);
                if (left <= TimeSpan.Zero)
                {
                    return false;
                }

                // Rounded up: a wait of 0 ms would be no wait.
                Monitor.Wait(_gate, (int)Math.Ceiling((left < _slice ? left : _slice).TotalMilliseconds));
            }

            Give();
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
                (_holder, _isInService) = (Nobody, false);
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
            _isInService = true;
            _section++;
            (_slicesSeen, _sliceBegan) = (0, Stopwatch.GetTimestamp());
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

            _isInService = false;
        }
    }

    private void Give() => (_holder, _isInService) = (Environment.CurrentManagedThreadId, false);

    /// <summary>Whether those who wait have seen the same stay in a service for all its slices.</summary>
    private bool IsOverdue()
    {
        if (_isInService && Stopwatch.GetElapsedTime(_sliceBegan) >= _slice)
        {
            _slicesSeen++;
            _sliceBegan = Stopwatch.GetTimestamp();
        }

        return _isInService && _slicesSeen >= Slices;
    }

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

using System.Diagnostics;

namespace Hypercalls.Daemon.Machines;

/// <summary>
/// Whose turn it is to change a machine: one thread at a time, like a lock. Unlike a lock it can be taken from a thread whose service does not come back:
/// that thread learns it where it leaves the service, and has changed nothing since it entered.
/// </summary>
/// <param name="patience">How long a service may run while others wait. It is measured in slices that somebody has seen: a process that was stopped for a while, or a machine that slept, counts as one.</param>
internal sealed class Turn(TimeSpan patience)
{
    private const ulong Nobody = 0;
    private const int Slices = 10;

    private readonly TimeSpan _slice = patience / Slices;
    private readonly object _gate = new();
    /// <summary>The holder's thread in the lower half, the number of its stay in a service in the upper one, 0 where it runs none. Changed as a whole: who changes it has had it as he thought.</summary>
    private ulong _holder = Nobody;
    /// <summary>Of the last stay in a service; the holder's alone.</summary>
    private uint _section;
    private int _waiting;
    /// <summary>Of those who wait, in the gate: the stay that they see, and for how long.</summary>
    private uint _sectionSeen;
    private int _slicesSeen;
    private long _sliceBegan;

    /// <summary>Which stay in a service goes on now; null where none does. Each has a number of its own.</summary>
    public uint? Section => SectionOf(Volatile.Read(ref _holder)) is var section and not 0 ? section : null;

    /// <summary>Whether this thread has the turn: true until it returns it or a service of it is not waited for any longer.</summary>
    public bool IsMine => ThreadOf(Volatile.Read(ref _holder)) == Me;

    private static ulong Me => (uint)Environment.CurrentManagedThreadId;

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
    public bool TryTakeFrom(uint section) =>
        Volatile.Read(ref _holder) is var holder && SectionOf(holder) == section && TryChange(holder, Me);

    /// <summary>Takes the turn where nobody has it: at no cost, mostly.</summary>
    public bool TryTakeAtOnce() => TryChange(Nobody, Me);

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
            // Counted before it looks: whoever returns the turn after that wakes it.
            Interlocked.Increment(ref _waiting);
            try
            {
                while (!TryTakeAtOnce())
                {
                    if (mayDepose && TryDepose())
                    {
                        wasOverdue = true;
                        return true;
                    }

                    var left = atMost - Stopwatch.GetElapsedTime(began);
                    if (left <= TimeSpan.Zero)
                    {
                        return false;
                    }

                    // Rounded up: a wait of 0 ms would be no wait.
                    Monitor.Wait(_gate, (int)Math.Ceiling((left < _slice ? left : _slice).TotalMilliseconds));
                }

                return true;
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }
    }

    /// <summary>Gives the turn back, if it has not been taken away.</summary>
    public void Return()
    {
        var holder = Volatile.Read(ref _holder);
        if (ThreadOf(holder) == Me && TryChange(holder, Nobody) && Volatile.Read(ref _waiting) > 0)
        {
            lock (_gate)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <summary>The holder is about to run a service's code.</summary>
    public void EnterService()
    {
        Debug.Assert(IsMine, "Only the holder runs services.");
        _section = _section == uint.MaxValue ? 1 : _section + 1;
        // Nobody takes the turn from a holder that runs no service.
        Volatile.Write(ref _holder, Me | ((ulong)_section << 32));
    }

    /// <summary>The service has come back.</summary>
    /// <exception cref="DeposedException">Too late: somebody else has the turn, and what the service gave must be dropped.</exception>
    public void LeaveService()
    {
        var holder = Volatile.Read(ref _holder);
        if (ThreadOf(holder) != Me || !TryChange(holder, Me))
        {
            throw new DeposedException();
        }
    }

    private static ulong ThreadOf(ulong holder) => (uint)holder;

    private static uint SectionOf(ulong holder) => (uint)(holder >> 32);

    private bool TryChange(ulong from, ulong to) => Interlocked.CompareExchange(ref _holder, to, from) == from;

    /// <summary>Takes the turn where those who wait have seen the same stay in a service for all its slices.</summary>
    private bool TryDepose()
    {
        var holder = Volatile.Read(ref _holder);
        var section = SectionOf(holder);
        if (section != _sectionSeen)
        {
            (_sectionSeen, _slicesSeen, _sliceBegan) = (section, 0, Stopwatch.GetTimestamp());
        }
        else if (Stopwatch.GetElapsedTime(_sliceBegan) >= _slice)
        {
            _slicesSeen++;
            _sliceBegan = Stopwatch.GetTimestamp();
        }

        return section != 0 && _slicesSeen >= Slices && TryChange(holder, Me);
    }

    // Most turns last microseconds, and waking a sleeper costs more than that.
    private void SpinBriefly()
    {
        var spin = default(SpinWait);
        while (Volatile.Read(ref _holder) != Nobody && !spin.NextSpinWillYield)
        {
            spin.SpinOnce();
        }
    }
}

/// <summary>The turn of this thread was taken away while a service kept it: another thread goes on with the machine.</summary>
internal sealed class DeposedException() : Exception("The service took so long that the machine went on without it.");

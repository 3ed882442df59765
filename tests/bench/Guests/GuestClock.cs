using System.Diagnostics;

namespace Hypercalls.Bench.Guests;

/// <summary>
/// The guest's counter on the clock of this process. Both run evenly, so one number lies between them, and every pair of readings of which one is known to be the earlier
/// bounds it. What is told of an instant is wrong by <see cref="Uncertainty"/> at most.
/// </summary>
/// <param name="frequency">Of the guest's counter, in Hz.</param>
internal sealed class GuestClock(ulong frequency)
{
    private readonly long _tick = (long)(((ulong)Stopwatch.Frequency + frequency - 1) / frequency);
    private long _atLeast = long.MinValue;
    private long _atMost = long.MaxValue;

    /// <summary>In microseconds.</summary>
    public double Uncertainty => (_atMost - _atLeast) / 2.0 * 1e6 / Stopwatch.Frequency;

    /// <summary>The guest read its counter before this process read its clock.</summary>
    public void GuestFirst(ulong counter, long here) => _atMost = Math.Min(_atMost, here - Ticks(counter));

    /// <summary>This process read its clock before the guest read its counter, which may have been about to count.</summary>
    public void HereFirst(long here, ulong counter) => _atLeast = Math.Max(_atLeast, here - Ticks(counter) - _tick);

    /// <summary>Of this process's clock.</summary>
    public long Ticks(ulong counter) => (long)((UInt128)counter * (ulong)Stopwatch.Frequency / frequency);

    /// <summary>When the guest read this.</summary>
    /// <exception cref="BenchException">The two clocks do not run alike.</exception>
    public long Here(ulong counter) => _atLeast > _atMost
        ? throw new BenchException("The guest's counter does not run as evenly as this machine's clock.")
        : Ticks(counter) + _atLeast + ((_atMost - _atLeast) / 2);
}

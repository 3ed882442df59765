using System.Diagnostics;

namespace Hypercalls.Bench.Load;

/// <summary>The durations of one caller's calls, in memory that is there before the first.</summary>
internal sealed class Timings(int capacity)
{
    private readonly long[] _ticks = new long[capacity];

    public long Count { get; private set; }

    public void Add(long ticks)
    {
        // Where there are more calls than room, the latest are kept.
        _ticks[Count % _ticks.Length] = ticks;
        Count++;
    }

    /// <summary>The sorted durations of several callers.</summary>
    public static long[] Sorted(IEnumerable<Timings> all)
    {
        long[] ticks = [.. all.SelectMany(timings => timings._ticks.Take((int)Math.Min(timings.Count, timings._ticks.Length)))];
        Array.Sort(ticks);
        return ticks;
    }

    /// <summary>In microseconds, by nearest rank.</summary>
    public static double Percentile(long[] sorted, double percent) =>
        sorted[Math.Max(0, (int)Math.Ceiling(percent / 100 * sorted.Length) - 1)] * 1e6 / Stopwatch.Frequency;
}

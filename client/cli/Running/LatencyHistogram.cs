using System.Numerics;

namespace Hypercalls.Cli.Running;

/// <summary>Times in a fixed amount of memory: 16 buckets for each doubling, so that a percentile is right within 5 %.</summary>
internal sealed class LatencyHistogram
{
    private const int PerDoubling = 16;

    private readonly long[] _counts = new long[64 * PerDoubling];

    public long Count { get; private set; }

    public void Add(long nanoseconds)
    {
        _counts[BucketOf((ulong)Math.Max(1, nanoseconds))]++;
        Count++;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>Nanoseconds that so many percent of the times do not pass.</summary>
    public double Percentile(int percent)
    {
        var rank = Math.Max(1, (Count * percent + 99) / 100);
        var seen = 0L;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= rank)
            {
                return MiddleOf(bucket);
            }
        }

        return 0;
    }

    private static int BucketOf(ulong nanoseconds)
    {
        var doubling = BitOperations.Log2(nanoseconds);
        var within = (nanoseconds - (1ul << doubling)) * PerDoubling >> doubling;
        return doubling > 59 ? (60 * PerDoubling) - 1 : (doubling * PerDoubling) + (int)within;
    }

    private static double MiddleOf(int bucket) => Math.ScaleB(1 + ((bucket % PerDoubling) + 0.5) / PerDoubling, bucket / PerDoubling);
}

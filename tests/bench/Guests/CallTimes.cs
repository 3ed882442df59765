using System.Diagnostics;
using Hypercalls.Bench.Load;
using Hypercalls.Protos;

namespace Hypercalls.Bench.Guests;

/// <summary>What the guest told of its calls by one conduit, and the ioctls that its host made for them.</summary>
internal sealed class CallTimes(Times times)
{
    private readonly List<long> _kernel = [];
    private readonly List<long> _spot = [];
    private readonly List<long> _daemon = [];
    private readonly List<long> _ioctlsOfOne = [];
    private readonly List<long> _ioctlsOfFour = [];
    private long _began;

    public Spread Kernel => Spread.Of(_kernel);

    public Spread OnTheSpot => Spread.Of(_spot);

    public Spread Daemon => Spread.Of(_daemon);

    /// <summary>Of a call whose results change x0.</summary>
    public double IoctlsOfOne => _ioctlsOfOne.Average();

    /// <summary>Of a call whose results change x0 to x3.</summary>
    public double IoctlsOfFour => _ioctlsOfFour.Average();

    private bool IsMeasured => _began != 0 && Stopwatch.GetElapsedTime(_began) >= times.WarmUp;

    /// <returns>Whether the guest is to go on.</returns>
    public bool Take(HypercallExit told)
    {
        if (_began == 0)
        {
            _began = Stopwatch.GetTimestamp();
        }
        if (IsMeasured)
        {
            var clock = new GuestClock(told.X4);
            _kernel.Add(clock.Ticks(told.X1));
            _spot.Add(clock.Ticks(told.X2));
            _daemon.Add(clock.Ticks(told.X3));
        }
        return Stopwatch.GetElapsedTime(_began) < times.WarmUp + times.Measure || _ioctlsOfFour.Count == 0;
    }

    public void TakeIoctls(long count, bool changesFour)
    {
        if (IsMeasured)
        {
            (changesFour ? _ioctlsOfFour : _ioctlsOfOne).Add(count);
        }
    }

    /// <summary>In microseconds.</summary>
    internal readonly record struct Spread(double P50, double P99)
    {
        public static Spread Of(List<long> ticks)
        {
            long[] sorted = [.. ticks.Order()];
            return new(Timings.Percentile(sorted, 50), Timings.Percentile(sorted, 99));
        }
    }
}

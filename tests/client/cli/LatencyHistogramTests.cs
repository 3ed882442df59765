using Hypercalls.Cli.Running;

namespace Hypercalls.Tests.Client.Cli;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(999)]
    [InlineData(50_000)]
    [InlineData(3_000_000_000)]
    public void A_percentile_is_right_within_five_percent(long nanoseconds)
    {
        var times = new LatencyHistogram();
        for (var n = 1; n <= 100; n++)
        {
            times.Add(nanoseconds * n);
        }

        Assert.InRange(times.Percentile(50), nanoseconds * 50 * 0.95, nanoseconds * 50 * 1.05);
        Assert.InRange(times.Percentile(99), nanoseconds * 99 * 0.95, nanoseconds * 99 * 1.05);
    }

    [Fact]
    public void Two_add_up_and_extremes_are_kept()
    {
        var (times, others) = (new LatencyHistogram(), new LatencyHistogram());
        times.Add(0);
        others.Add(long.MaxValue);
        times.Add(others);
        Assert.Equal(2, times.Count);
        Assert.True(times.Percentile(99) > times.Percentile(50));
    }
}

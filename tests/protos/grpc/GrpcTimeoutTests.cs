using Hypercalls.Grpc;

namespace Hypercalls.Tests.Protos.Grpc;

public class GrpcTimeoutTests
{
    [Theory]
    [InlineData(long.MinValue, "1n")]
    [InlineData(-1, "1n")]
    [InlineData(0, "1n")]
    [InlineData(1, "1u")]
    [InlineData(10, "1u")]
    [InlineData(11, "2u")]
    [InlineData(999_999_990, "99999999u")]
    [InlineData(999_999_991, "100000m")]
    [InlineData(TimeSpan.TicksPerDay, "86400000m")]
    [InlineData(TimeSpan.TicksPerDay * 2, "172800S")]
    [InlineData(TimeSpan.TicksPerDay * 365 * 100, "52560000M")]
    [InlineData(TimeSpan.TicksPerDay * 365 * 1000, "8760000H")]
    [InlineData(long.MaxValue, "99999999H")]
    public void Writes_the_finest_unit_that_holds_it(long ticks, string text) => Assert.Equal(text, GrpcTimeout.Format(new TimeSpan(ticks)));

    [Theory]
    [InlineData("1n", 1)]
    [InlineData("100n", 1)]
    [InlineData("101n", 2)]
    [InlineData("0S", 0)]
    [InlineData("1u", 10)]
    [InlineData("00000001m", 10_000)]
    [InlineData("1S", TimeSpan.TicksPerSecond)]
    [InlineData("1M", TimeSpan.TicksPerMinute)]
    [InlineData("99999999H", 99_999_999 * TimeSpan.TicksPerHour)]
    public void Reads_every_unit(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryParse(text, out var timeout));
        Assert.Equal(new TimeSpan(ticks), timeout);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("S")]
    [InlineData("1s")]
    [InlineData("1h")]
    [InlineData("+1S")]
    [InlineData("-1S")]
    [InlineData(" 1S")]
    [InlineData("1 S")]
    [InlineData("1,0S")]
    [InlineData("1e3S")]
    [InlineData("0x1S")]
    [InlineData("١S")]
    [InlineData("123456789S")]
    [InlineData("99999999999999999999S")]
    public void Reads_nothing_else(string text) => Assert.False(GrpcTimeout.TryParse(text, out _));

    [Fact]
    public void Is_never_shorter_than_what_was_written()
    {
        var random = new Random(1);
        for (var i = 0; i < 10_000; i++)
        {
            var timeout = new TimeSpan(random.NextInt64(1L << random.Next(1, 62)) + 1);
            Assert.True(GrpcTimeout.TryParse(GrpcTimeout.Format(timeout), out var read));
            Assert.True(read >= timeout || timeout > new TimeSpan(99_999_999 * TimeSpan.TicksPerHour), $"{timeout}");
        }
    }
}

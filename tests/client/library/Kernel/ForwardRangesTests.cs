using Hypercalls.Client.Kernel;

namespace Hypercalls.Tests.Client.Library.Kernel;

public sealed class ForwardRangesTests
{
    [Fact]
    public void Everything_is_three_ranges() => Assert.Equal(
        [(0u, 0x7FFF_FFFF), (0x8001_0000, 0xBFFF_FFFF), (0xC001_0000, 0xFFFF_FFFF)],
        Of((0, uint.MaxValue)));

    [Fact]
    public void Ranges_are_sorted_and_those_that_touch_or_overlap_are_one() => Assert.Equal(
        [(0x8200_0000, 0x8200_0005), (0xC400_0020, 0xC400_0040)],
        Of((0xC400_0030, 0xC400_0040), (0x8200_0000, 0x8200_0000), (0x8200_0001, 0x8200_0005), (0xC400_0020, 0xC400_0035), (0x8200_0002, 0x8200_0003)));

    [Theory]
    [InlineData(0x8000_0000, 0x8000_FFFF)]
    [InlineData(0xC000_0000, 0xC000_0000)]
    [InlineData(0x8000_1234, 0x8000_1234)]
    public void Reserved_functions_are_cut_out(uint first, uint last) => Assert.Empty(Of((first, last)));

    [Theory]
    [InlineData(0x7FFF_FFFF, 0x8000_0000, 0x7FFF_FFFF, 0x7FFF_FFFF)]
    [InlineData(0x8000_FFFF, 0x8001_0000, 0x8001_0000, 0x8001_0000)]
    [InlineData(0xC000_FFFF, 0xFFFF_FFFF, 0xC001_0000, 0xFFFF_FFFF)]
    [InlineData(0x8001_0000, 0xC000_FFFF, 0x8001_0000, 0xBFFF_FFFF)]
    public void What_reaches_over_the_border_keeps_its_rest(uint first, uint last, uint keptFirst, uint keptLast) =>
        Assert.Equal([(keptFirst, keptLast)], Of((first, last)));

    [Fact]
    public void Nothing_wanted_is_nothing() => Assert.Empty(Of());

    private static IEnumerable<(uint, uint)> Of(params (uint, uint)[] wanted) => ForwardRanges.Of(wanted).Select(range => (range.First, range.Last));
}

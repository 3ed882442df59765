using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

public sealed class GuestRangeTests
{
    private static readonly MachineDescription s_machine = TestMachine.Describe(1) with
    {
        Ram = [new(0x4000_0000, 0x1000), new(0x4000_1000, 0x1000), new(0xFFFF_FFFF_FFFF_F000, 0x1000)],
    };

    [Theory]
    //          base                      size      is RAM
    [InlineData(0x4000_0000ul,            1ul,      true)]
    [InlineData(0x4000_0000ul,            0x1000ul, true)]  // all of it
    [InlineData(0x4000_0FFFul,            1ul,      true)]  // the last byte
    [InlineData(0xFFFF_FFFF_FFFF_FFFFul,  1ul,      true)]  // the last byte there is
    [InlineData(0xFFFF_FFFF_FFFF_F000ul,  0x1000ul, true)]
    [InlineData(0x4000_0000ul,            0ul,      false)] // nothing
    [InlineData(0x3FFF_FFFFul,            1ul,      false)]
    [InlineData(0x4000_2000ul,            1ul,      false)]
    [InlineData(0x4000_0FFFul,            2ul,      false)] // two ranges, though they touch
    [InlineData(0xFFFF_FFFF_FFFF_FFFFul,  2ul,      false)] // wraps
    [InlineData(0x4000_0000ul,            ulong.MaxValue, false)]
    [InlineData(0ul,                      0x8001ul, false)]
    public void Is_memory_that_there_is(ulong address, ulong size, bool isRam)
    {
        Assert.Equal(isRam, GuestRange.TryCreate(s_machine, address, size, out var range));
        Assert.Equal(isRam ? (address, (int)size) : (0ul, 0), (range.Base, range.Size));
    }

    [Fact]
    public void Is_no_longer_than_an_exit_carries()
    {
        var machine = TestMachine.Describe(1);
        Assert.True(GuestRange.TryCreate(machine, 0x4000_0000, GuestRange.MostBytes, out _));
        Assert.False(GuestRange.TryCreate(machine, 0x4000_0000, GuestRange.MostBytes + 1, out _));
    }

    [Fact]
    public void Has_parts_and_takes_no_more_than_fits()
    {
        Assert.True(GuestRange.TryCreate(s_machine, 0x4000_0100, 16, out var range));
        Assert.Equal((0x4000_0108ul, 8), (range.Part(8, 8).Base, range.Part(8, 8).Size));
        Assert.Throws<ArgumentOutOfRangeException>(() => range.Part(8, 9));
        Assert.Throws<ArgumentOutOfRangeException>(() => range.Part(-1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => range.Part(0, 0));
        Assert.Equal(new(0x4000_0100, [1, 2, 3]), range.Write([1, 2, 3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => range.Write(new byte[17]));
        Assert.Equal("0x40000100 to 0x4000010f", range.ToString());
    }
}

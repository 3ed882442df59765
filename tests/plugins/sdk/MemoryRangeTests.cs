using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class MemoryRangeTests
{
    [Theory]
#pragma warning disable format // a table, to be read by column
    //          base                     size           address                  inside
    [InlineData(0x4000_0000ul,           0x1000ul,      0x4000_0000ul,           true)]
    [InlineData(0x4000_0000ul,           0x1000ul,      0x4000_0FFFul,           true)]
    [InlineData(0x4000_0000ul,           0x1000ul,      0x4000_1000ul,           false)]
    [InlineData(0x4000_0000ul,           0x1000ul,      0x3FFF_FFFFul,           false)]
    [InlineData(0x4000_0000ul,           0ul,           0x4000_0000ul,           false)]
    [InlineData(0xFFFF_FFFF_FFFF_F000ul, 0x1000ul,      0xFFFF_FFFF_FFFF_FFFFul, true)] // up to 2^64
    [InlineData(0xFFFF_FFFF_FFFF_F000ul, 0x1000ul,      0ul,                     false)]
    [InlineData(0xFFFF_FFFF_FFFF_F000ul, 0x2000ul,      0ul,                     false)] // it does not wrap
    [InlineData(0ul,                     ulong.MaxValue, 0x1234ul,               true)]
#pragma warning restore format
    public void Contains(ulong start, ulong size, ulong address, bool inside) => Assert.Equal(inside, new MemoryRange(start, size).Contains(address));
}

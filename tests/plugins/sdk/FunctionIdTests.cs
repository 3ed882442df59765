using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class FunctionIdTests
{
    [Theory]
#pragma warning disable format // a table, to be read by column
    //          identifier   fast   64     owner                            number  hint   reserved
    [InlineData(0x8400_0000, true,  false, OwningEntity.StandardSecure,     0x0,    false, false)] // PSCI_VERSION
    [InlineData(0xC400_0003, true,  true,  OwningEntity.StandardSecure,     0x3,    false, false)] // CPU_ON
    [InlineData(0xC400_0021, true,  true,  OwningEntity.StandardSecure,     0x21,   false, false)] // SDEI_EVENT_REGISTER
    [InlineData(0xC401_0021, true,  true,  OwningEntity.StandardSecure,     0x21,   true,  false)] // the same with the SVE hint
    [InlineData(0xC402_0021, true,  true,  OwningEntity.StandardSecure,     0x21,   false, true)]  // bit 17 must be zero
    [InlineData(0x8600_FF01, true,  false, OwningEntity.VendorHypervisor,   0xFF01, false, false)] // call UID
    [InlineData(0x3200_0004, false, false, OwningEntity.TrustedOs,          0x4,    false, false)] // yielding
    [InlineData(0x3201_0004, false, false, OwningEntity.TrustedOs,          0x4,    false, false)] // bits 23:16 belong to the owner
    [InlineData(0x32FF_0004, false, false, OwningEntity.TrustedOs,          0x4,    false, false)]
    [InlineData(0xB000_0000, true,  false, OwningEntity.TrustedApplication, 0x0,    false, false)]
#pragma warning restore format
    public void Decodes(uint value, bool fast, bool smc64, OwningEntity owner, int number, bool hint, bool reserved)
    {
        var id = new FunctionId(value);
        Assert.Equal(
            (fast, smc64, owner, (ushort)number, hint, reserved),
            (id.IsFast, id.IsSmc64, id.Owner, id.Number, id.HasSveHint, id.HasReservedBits));
    }

    [Theory]
    [InlineData(0xC401_0021, 0xC400_0021)]
    [InlineData(0xC400_0021, 0xC400_0021)]
    [InlineData(0x3201_0004, 0x3201_0004)] // no hint in a yielding call
    public void Is_routed_without_the_hint(uint value, uint routed) => Assert.Equal(new FunctionId(routed), new FunctionId(value).WithoutHint);

    [Theory]
    [InlineData(0x8400_FEFF, false)]
    [InlineData(0x8400_FF00, true)]
    [InlineData(0x0400_FF00, false)]
    public void Knows_the_general_queries(uint value, bool isQuery) => Assert.Equal(isQuery, new FunctionId(value).IsGeneralQuery);

    [Theory]
    [InlineData("0xC4000003", 0xC400_0003)]
    [InlineData("0xC400_0003", 0xC400_0003)]
    [InlineData("0Xc400_0003", 0xC400_0003)]
    [InlineData("3288334339", 0xC400_0003)]
    [InlineData("0", 0)]
    public void Parses(string text, uint value)
    {
        Assert.True(FunctionId.TryParse(text, out var id));
        Assert.Equal(new FunctionId(value), id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0x")]
    [InlineData("CPU_ON")]
    [InlineData("C4000003")]
    [InlineData("0x1_0000_0000")]
    [InlineData("4294967296")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("0x 1")]
    [InlineData("0x-1")]
    public void Refuses_what_is_no_32_bit_number(string text) => Assert.False(FunctionId.TryParse(text, out _));

    [Fact]
    public void Prints_as_the_specifications_do() => Assert.Equal("0xC400_0003", new FunctionId(0xC400_0003).ToString());
}

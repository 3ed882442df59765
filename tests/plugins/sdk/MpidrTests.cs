using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class MpidrTests
{
    [Fact]
    public void Takes_the_affinity_bits_and_no_other()
    {
        var taken = Enumerable.Range(0, 64).Where(bit => Mpidr.TryParse(1ul << bit, out _));
        Assert.Equal(Enumerable.Range(0, 24).Concat(Enumerable.Range(32, 8)), taken);
    }

    [Theory]
    [InlineData(0x8000_0000ul, "0.0.0.0")]                // RES1
    [InlineData(0xC100_0102ul, "0.0.1.2")]                // U and MT
    [InlineData(0xFFFF_FFFF_FFFF_FFFFul, "255.255.255.255")]
    [InlineData(0x04_8003_0201ul, "4.3.2.1")]
    public void Drops_the_other_bits_of_MPIDR_EL1(ulong register, string affinity) => Assert.Equal(affinity, Mpidr.FromRegister(register).ToString());

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          one               other             0      1      2      3
    [InlineData(0x04_0003_0201ul, 0x04_0003_0201ul, true,  true,  true,  true)]
    [InlineData(0x04_0003_0201ul, 0x04_0003_02FFul, false, true,  true,  true)]
    [InlineData(0x04_0003_0201ul, 0x04_0003_FF01ul, false, false, true,  true)]
    [InlineData(0x04_0003_0201ul, 0x04_00FF_0201ul, false, false, false, true)]
    [InlineData(0x04_0003_0201ul, 0xFF_0003_0201ul, false, false, false, false)]
#pragma warning restore format
    public void Names_the_same_node_from_a_level_up(ulong one, ulong other, bool level0, bool level1, bool level2, bool level3)
    {
        var (left, right) = (Mpidr.FromRegister(one), Mpidr.FromRegister(other));
        Assert.Equal([level0, level1, level2, level3], Enumerable.Range(0, 4).Select(level => left.SameNode(right, level)));
    }
}

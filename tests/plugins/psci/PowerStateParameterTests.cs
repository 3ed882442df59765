using Hypercalls.Psci;

namespace Hypercalls.Tests.Psci;

public sealed class PowerStateParameterTests
{
    [Theory]
    //          argument     StateID powerdown level
    [InlineData(0x0000_0000, 0,      false,    0)]
    [InlineData(0x0000_FFFF, 0xFFFF, false,    0)] // 15:0
    [InlineData(0x0001_0000, 0,      true,     0)] // 16
    [InlineData(0x0300_0000, 0,      false,    3)] // 25:24
    [InlineData(0x0201_0033, 0x33,   true,     2)]
    public void Has_the_fields_of_the_original_format(uint argument, int stateId, bool isPowerDown, int powerLevel)
    {
        Assert.True(PowerStateParameter.TryParse(argument, out var powerState));
        Assert.Equal(new PowerStateParameter((ushort)stateId, isPowerDown, powerLevel), powerState);
    }

    [Fact]
    public void Refuses_each_bit_that_must_be_zero()
    {
        int[] mustBeZero = [17, 18, 19, 20, 21, 22, 23, 26, 27, 28, 29, 30, 31];
        Assert.Equal(mustBeZero, Enumerable.Range(0, 32).Where(bit => !PowerStateParameter.TryParse(1u << bit, out _)));
    }
}

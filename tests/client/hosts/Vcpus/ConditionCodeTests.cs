using Hypercalls.Hosts.Vcpus;

namespace Hypercalls.Tests.Client.Hosts.Vcpus;

public sealed class ConditionCodeTests
{
    // The condition of an SMC that was trapped, with all that EC 0x13 reports of it.
    private const ulong Smc = 0x13ul << 26 | 1 << 25;
    private const ulong Unknown = 1 << 19;
    private const ulong Valid = 1 << 24;

    [Theory]
    //             NZCV: 0123456789abcdef
    [InlineData(0x0, "0000111100001111")] // EQ: Z
    [InlineData(0x1, "1111000011110000")] // NE
    [InlineData(0x2, "0011001100110011")] // CS: C
    [InlineData(0x3, "1100110011001100")] // CC
    [InlineData(0x4, "0000000011111111")] // MI: N
    [InlineData(0x5, "1111111100000000")] // PL
    [InlineData(0x6, "0101010101010101")] // VS: V
    [InlineData(0x7, "1010101010101010")] // VC
    [InlineData(0x8, "0011000000110000")] // HI: C and not Z
    [InlineData(0x9, "1100111111001111")] // LS
    [InlineData(0xa, "1010101001010101")] // GE: N equals V
    [InlineData(0xb, "0101010110101010")] // LT
    [InlineData(0xc, "1010000001010000")] // GT: not Z, N equals V
    [InlineData(0xd, "0101111110101111")] // LE
    [InlineData(0xe, "1111111111111111")] // AL
    [InlineData(0xf, "1111111111111111")] // unconditional
    public void Holds_as_the_architecture_says(uint condition, string holds)
    {
        for (var nzcv = 0u; nzcv < 16; nzcv++)
        {
            var expected = holds[(int)nzcv] == '1';
            var pstate = (ulong)nzcv << 28 | 0x1d3;
            Assert.Equal(expected, ConditionCode.Holds(condition, nzcv));
            Assert.Equal(expected, ConditionCode.Passed(Smc | Unknown | Valid | (ulong)condition << 20, pstate));
            // The same by the IT state: condition in IT[7:4], and IT[0] says that this is the block's only instruction left.
            var it = condition << 4 | 8;
            Assert.Equal(expected, ConditionCode.Passed(Smc | Unknown, pstate | (ulong)(it >> 2) << 10 | (ulong)(it & 3) << 25));
        }
    }

    [Theory]
    [InlineData(0x4e00_0000)] // SMC as EL3 takes it: CCKNOWNPASS, CV and COND are zero
    [InlineData(0x4f00_0000)] // CV alone: COND is EQ, but the condition has passed
    [InlineData(0x4a08_0000)] // HVC of AArch32
    [InlineData(0x5e08_0000)] // SMC of AArch64
    [InlineData(0)] // no exception at all
    public void What_has_no_failed_condition_is_a_call(ulong esr) => Assert.True(ConditionCode.Passed(esr, 0x1d3));

    [Fact]
    public void Outside_of_an_IT_block_T32_is_unconditional() => Assert.True(ConditionCode.Passed(Smc | Unknown, 0x1f3));
}

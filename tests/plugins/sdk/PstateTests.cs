using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class PstateTests
{
    [Theory]
#pragma warning disable format // a table, to be read by column
    //          M     AArch32 EL
    [InlineData(0x00, false, 0)] // EL0t
    [InlineData(0x04, false, 1)] // EL1t
    [InlineData(0x05, false, 1)] // EL1h
    [InlineData(0x08, false, 2)] // EL2t
    [InlineData(0x09, false, 2)] // EL2h
    [InlineData(0x0C, false, 3)] // EL3t
    [InlineData(0x0D, false, 3)] // EL3h
    [InlineData(0x10, true,  0)] // usr
    [InlineData(0x11, true,  1)] // fiq
    [InlineData(0x12, true,  1)] // irq
    [InlineData(0x13, true,  1)] // svc
    [InlineData(0x16, true,  3)] // mon
    [InlineData(0x17, true,  1)] // abt
    [InlineData(0x1A, true,  2)] // hyp
    [InlineData(0x1B, true,  1)] // und
    [InlineData(0x1F, true,  1)] // sys
#pragma warning restore format
    public void Decodes_the_mode(uint mode, bool isAArch32, int level)
    {
        foreach (var others in new[] { 0ul, 0xFFFF_FFFF_FFFF_FFE0 })
        {
            var pstate = new Pstate(others | mode);
            Assert.Equal((isAArch32, level), (pstate.IsAArch32, pstate.ExceptionLevel));
        }
    }

    [Fact]
    public void Knows_the_states_that_cores_start_in() => Assert.Equal((0x3C5ul, 0x3C9ul), (Pstate.El1h.Value, Pstate.El2h.Value));
}

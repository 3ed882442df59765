using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

public sealed class AffinityInfoTests
{
    [Theory]
#pragma warning disable format // a table, to be read by column
    //          core  info
    [InlineData(0,    0)]  // ON
    [InlineData(1,    1)]  // OFF
    [InlineData(2,    2)]  // ON_PENDING
    [InlineData(3,    0)]  // a suspended core is ON
    [InlineData(4,    0)]  // CPU_FREEZE is not processed yet
    [InlineData(5,    1)]  // frozen
    [InlineData(6,    -8)] // DISABLED: its host cannot start it
    [InlineData(7,    1)]  // denied by the settings, present all the same
    [InlineData(8,    -2)] // INVALID_PARAMETERS: no such core
#pragma warning restore format
    public void Of_a_core(ulong core, int info)
    {
        var machine = InEveryState("1.3");
        foreach (var id in new[] { Ids.AffinityInfo, Ids.AffinityInfo | Ids.Smc64 })
        {
            Assert.Equal(info < 0 ? Answer.Status(info) : Answer.Value((ulong)info), machine.Call(id, core, 0));
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          target           level  info
    [InlineData(0x0ul,           1ul,   0)]  // 0.0.0: one ON, one OFF
    [InlineData(0xFFul,          1ul,   0)]  // Aff0 is ignored
    [InlineData(0x100ul,         1ul,   2)]  // 0.0.1: one ON_PENDING, the rest OFF
    [InlineData(0x200ul,         1ul,   -2)] // no such cluster
    [InlineData(0x1_0000ul,      1ul,   1)]  // all OFF
    [InlineData(0xFFFFul,        2ul,   0)]  // 0.0: ON outweighs ON_PENDING
    [InlineData(0x1_0000ul,      2ul,   1)]  // OFF outweighs DISABLED
    [InlineData(0x1_0100ul,      1ul,   -8)] // 0.1.1: nothing but disabled cores
    [InlineData(0x3_0000ul,      2ul,   -2)]
    [InlineData(0xFF_FFFFul,     3ul,   0)]  // the whole machine
    [InlineData(0x1_0000_0000ul, 3ul,   -2)] // Aff3 = 1
    [InlineData(0x0ul,           4ul,   -2)] // no such level
    [InlineData(0x0ul,           0xFFFF_FFFFul, -2)]
    [InlineData(0x0ul,           0x1_0000_0000ul, 0)] // the level has 32 bits
    [InlineData(0x8000_0000ul,   0ul,   -2)] // bits outside the affinity fields
    [InlineData(0x8000_0000ul,   3ul,   -2)]
    [InlineData(0x0100_0000ul,   3ul,   -2)]
    [InlineData(0x100_0000_0000ul, 3ul, -2)]
#pragma warning restore format
    public void Of_a_node(ulong target, ulong level, int info)
    {
        foreach (var version in new Version[] { new(0, 2), new(1, 3) })
        {
            var machine = new TestMachine(
                TestMachine.Describe(1) with
                {
                    Cores =
                    [
                        new(Core(0x0), CorePower.On), new(Core(0x1), CorePower.Off),
                        new(Core(0x100), CorePower.Off), new(Core(0x101), CorePower.Off),
                        new(Core(0x1_0000), CorePower.Off),
                        new(Core(0x1_0100), CorePower.Unavailable),
                    ],
                },
                new PsciService(new() { Version = version }));
            machine.Call(Ids.CpuOn, 0x100, Entry);

            Assert.Equal(info < 0 ? Answer.Status(info) : Answer.Value((ulong)info), machine.Call(Ids.AffinityInfo | Ids.Smc64, target, level));
        }
    }

    [Fact]
    public void Takes_32_bits_of_an_SMC32_target()
    {
        var machine = InEveryState("1.3");
        Assert.Equal(Answer.Value(1), machine.Call(Ids.AffinityInfo, 0xDEAD_BEEF_0000_0001, 0xDEAD_BEEF_0000_0000));
        Assert.Equal(Answer.Status(-2), machine.Call(Ids.AffinityInfo | Ids.Smc64, 0xDEAD_BEEF_0000_0001, 0));
    }
}

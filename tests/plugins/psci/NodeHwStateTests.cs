using Hypercalls.Sdk;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

public sealed class NodeHwStateTests
{
    [Theory]
#pragma warning disable format // a table, to be read by column
    //          core  state
    [InlineData(0,    0)]  // HW_ON
    [InlineData(1,    1)]  // HW_OFF
    [InlineData(2,    1)]  // ON_PENDING: off until it has started
    [InlineData(3,    2)]  // HW_STANDBY: in standby
    [InlineData(4,    0)]  // CPU_FREEZE is not processed yet
    [InlineData(5,    1)]  // frozen
    [InlineData(6,    1)]  // unavailable
    [InlineData(7,    1)]
    [InlineData(8,    -2)] // INVALID_PARAMETERS: no such node
#pragma warning restore format
    public void Of_a_core(ulong core, int state)
    {
        var machine = InEveryState("1.3");
        foreach (var id in new[] { Ids.NodeHwState, Ids.NodeHwState | Ids.Smc64 })
        {
            Assert.Equal(state < 0 ? Answer.Status(state) : Answer.Value((ulong)state), machine.Call(id, core, 0));
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          target           level  status
    [InlineData(0x0ul,           0ul,   0)]
    [InlineData(0xFFul,          1ul,   0)]  // fields below the level are ignored
    [InlineData(0xFFul,          0ul,   -2)]
    [InlineData(0xFFFFul,        2ul,   0)]
    [InlineData(0xFFFFul,        1ul,   -2)]
    [InlineData(0xFF_FFFFul,     3ul,   0)]
    [InlineData(0xFF_FFFFul,     2ul,   -2)]
    [InlineData(0x1_0000_0000ul, 3ul,   -2)] // Aff3 = 1
    [InlineData(0x0ul,           4ul,   -2)] // no such level
    [InlineData(0x0ul,           0xFFFF_FFFFul, -2)]
    [InlineData(0x0ul,           0x1_0000_0000ul, 0)] // the level has 32 bits
    [InlineData(0x8000_0000ul,   3ul,   -2)] // bits outside the affinity fields
    [InlineData(0x0100_0000ul,   0ul,   -2)]
#pragma warning restore format
    public void Takes_nodes_that_exist(ulong target, ulong level, int status)
    {
        var machine = TwoClusters(Composite);
        Assert.Equal(status < 0 ? Answer.Status(status) : Answer.Value(0), machine.Call(Ids.NodeHwState | Ids.Smc64, target, level));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          asked            core cluster
    [InlineData(Standby0,        2,   0)]
    [InlineData(Retention0,      2,   0)]
    [InlineData(Sleep0,          1,   0)]
    [InlineData(SleepRetention1, 1,   2)]
    [InlineData(Sleep1,          1,   1)]
#pragma warning restore format
    public void Of_a_cluster_whose_other_core_is_off(uint asked, ulong core, ulong cluster)
    {
        var machine = TwoClusters(Composite);
        machine.Core(2).Started();
        machine.Call(Ids.CpuSuspend, asked, Entry);

        var observer = machine.Core(2);
        Assert.Equal(
            [core, cluster, 0, 0],
            new ulong[] { 0, 1, 2, 3 }.Select(level => observer.Call(Ids.NodeHwState, 0, level).X0));
        machine.Core(0).Woke();
        Assert.Equal(Answer.Value(0), observer.Call(Ids.NodeHwState, 0, 1));
    }
}

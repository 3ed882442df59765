using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Psci.LocalState;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>The states of nodes, as those of their cores make them (DEN0022, Power state coordination).</summary>
public sealed class PowerTopologyTests
{
    private readonly TestMachine _machine = TwoClusters(Composite);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          0.0.0.0          0.0.0.1          cluster     system
    [InlineData(Sleep1,          Sleep1,          PowerDown,  Run)]
    [InlineData(Sleep1,          SleepRetention1, Retention,  Run)] // the shallowest vote
    [InlineData(SleepRetention1, Sleep1,          Retention,  Run)]
    [InlineData(Sleep1,          Sleep0,          Run,        Run)]
    [InlineData(Sleep2,          Sleep1,          PowerDown,  Run)]
    [InlineData(Sleep2,          Sleep2,          PowerDown,  PowerDown)]
    [InlineData(Sleep2,          0u,              PowerDown,  PowerDown)] // a core that is off allows any state
    [InlineData(Standby0,        0u,              Run,        Run)]
#pragma warning restore format
    public void Platform_coordinated_the_shallowest_vote_wins(uint first, uint second, LocalState cluster, LocalState system)
    {
        if (second != 0)
        {
            _machine.Core(1).Call(Ids.CpuSuspend, second, Entry);
        }

        _machine.Call(Ids.CpuSuspend, first, Entry);
        Assert.Equal((cluster, Off, system, Run), (Level(1), Level(1, 0x100), Level(2), Level(3))); // no state speaks of level 3

        _machine.Core(0).Woke();
        Assert.Equal((Run, Run, Run), (Level(0), Level(1), Level(2)));
    }

    [Fact]
    public void OS_initiated_the_last_core_to_go_down_says_it()
    {
        _machine.Core(1).Started();
        _machine.Call(Ids.SetSuspendMode, 1);
        _machine.Core(1).Call(Ids.CpuSuspend, Sleep0, Entry); // no word of the cluster
        Assert.Equal((PowerDown, Run), (Level(0, 1), Level(1)));
        _machine.Call(Ids.CpuSuspend, Sleep2, Entry);
        Assert.Equal((PowerDown, PowerDown, PowerDown, Run), (Level(0), Level(1), Level(2), Level(3)));

        _machine.Core(1).Woke(); // the first that wakes
        Assert.Equal((PowerDown, Run, Run, Run), (Level(0), Level(1), Level(2), Level(3)));
        _machine.Core(1).Call(Ids.CpuSuspend, Sleep0, Entry); // now the last one, and wants the cluster up
        Assert.Equal((PowerDown, PowerDown, Run, Run), (Level(0), Level(0, 1), Level(1), Level(2)));
    }

    [Fact]
    public void OS_initiated_a_node_whose_cores_are_all_off_is_off()
    {
        _machine.Core(2).Started();
        _machine.Call(Ids.SetSuspendMode, 1);
        _machine.Core(2).Call(Ids.CpuSuspend, Sleep1, Entry);
        Assert.Equal(PowerDown, Level(1, 0x100));
        _machine.Core(2).Woke();
        _machine.Core(2).Call(Ids.CpuOff);
        _machine.Core(2).Stopped();
        Assert.Equal((Off, Off), (Level(0, 0x100), Level(1, 0x100)));
    }

    [Theory]
    [InlineData(0ul)] // platform-coordinated
    [InlineData(1ul)] // OS-initiated
    public void SYSTEM_SUSPEND_takes_every_level_down(ulong mode)
    {
        _machine.Call(Ids.SetSuspendMode, mode);
        _machine.Call(Ids.SystemSuspend, Entry);
        Assert.Equal((PowerDown, PowerDown, PowerDown, PowerDown), (Level(0), Level(1), Level(2), Level(3)));
        Assert.Equal((Off, Off), (Level(0, 1), Level(1, 0x100)));

        _machine.Core(0).Woke();
        Assert.Equal((Run, Run, Run, Run), (Level(0), Level(1), Level(2), Level(3)));
    }

    [Theory]
    [InlineData(0ul)] // platform-coordinated
    [InlineData(1ul)] // OS-initiated
    public void Attaching_again_wakes_no_node(ulong mode)
    {
        _machine.Core(1).Started();
        _machine.Call(Ids.SetSuspendMode, mode);
        _machine.Core(1).Call(Ids.CpuSuspend, mode == 0 ? Sleep1 : Sleep0, Entry);
        _machine.Call(Ids.CpuSuspend, Sleep1, Entry);
        var before = _machine.StateOf<PsciState>();
        Assert.Equal(PowerDown, Level(1));

        _machine.Attach(_machine.Description with
        {
            Cores = [new(Core(0x0), CorePower.Suspended), new(Core(0x1), CorePower.Suspended), new(Core(0x100), CorePower.Off), new(Core(0x101), CorePower.Off)],
        });
        Assert.Equal(before, _machine.StateOf<PsciState>());
    }

    [Theory]
    [InlineData(0)] // platform-coordinated
    [InlineData(1)] // OS-initiated
    public void A_core_takes_its_nodes_up_when_it_has_started_and_leaves_no_trace_when_it_cannot(uint mode)
    {
        _machine.Call(Ids.SetSuspendMode, mode);
        _machine.Call(Ids.CpuOn, 0x100, Entry);
        _machine.Core(2).Started();
        _machine.Core(2).Call(Ids.CpuSuspend, Sleep1, Entry);
        Assert.Equal(PowerDown, Level(1, 0x100));
        var before = _machine.StateOf<PsciState>();

        _machine.Call(Ids.CpuOn, 0x101, Entry);
        Assert.Equal((Off, PowerDown), (Level(0, 0x101), Level(1, 0x100)));
        _machine.Core(3).Refused();
        Assert.Equal(before, _machine.StateOf<PsciState>());

        _machine.Call(Ids.CpuOn, 0x101, Entry);
        _machine.Core(3).Started();
        Assert.Equal((Run, Run), (Level(0, 0x101), Level(1, 0x100)));
    }

    [Fact]
    public void OS_initiated_no_cluster_goes_down_while_a_core_of_it_is_starting()
    {
        _machine.Call(Ids.SetSuspendMode, 1);
        _machine.Call(Ids.CpuOn, 0x1, Entry);
        Assert.Equal(Answer.Status(-3), _machine.Call(Ids.CpuSuspend, Sleep1, Entry)); // DENIED
    }

    private LocalState Level(int level, ulong affinity = 0) =>
        _machine.StateOf<PsciState>().Nodes.Single(node => node.Level == level && node.Holds(Core(affinity))).State;
}

using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>CPU_OFF and CPU_FREEZE: on until the host has stopped the core, then to be started by CPU_ON alone.</summary>
public sealed class CpuOffTests
{
    private readonly TestMachine _machine = new(cores: 2, new PsciService());

    [Theory]
    [InlineData(Ids.CpuOff, PowerState.On, PowerState.Off)]
    [InlineData(Ids.CpuFreeze, PowerState.Freezing, PowerState.Frozen)]
    public void Stops_the_core_that_calls(uint id, PowerState before, PowerState after)
    {
        Start();
        Assert.Equal(Answer.NoResults with { Then = new Effect.PowerOff() }, _machine.Core(1).Call(id));
        Assert.Equal([PowerState.On, before], Powers);
        Assert.Equal(Answer.Value(0), _machine.Call(Ids.AffinityInfo, 1)); // ON
        Assert.Equal(Answer.Value(0), _machine.Call(Ids.NodeHwState, 1));  // HW_ON
        Refuses(_machine, -4, _machine.Core(0), Ids.CpuOn, 1, Entry); // the race: the guest is to try again
        Refuses(_machine, -3, _machine.Core(0), Ids.SystemSuspend, Entry);

        _machine.Core(1).Stopped();
        Assert.Equal([PowerState.On, after], Powers);
        Assert.Equal(Answer.Value(1), _machine.Call(Ids.AffinityInfo, 1)); // OFF
        Assert.Equal(Answer.Value(1), _machine.Call(Ids.NodeHwState, 1));  // HW_OFF
        Assert.Equal(Answer.Success with { Then = new Effect.PowerOn(Core(1), Entry, 0, -6) }, _machine.Call(Ids.CpuOn, 1, Entry));
    }

    [Theory]
    [InlineData(Ids.CpuOff)]
    [InlineData(Ids.CpuFreeze)]
    public void Is_not_undone_by_an_interrupt(uint id)
    {
        Start();
        _machine.Core(1).Call(id);
        _machine.Core(1).Stopped();
        var before = _machine.StateOf<PsciState>();
        _machine.Core(1).Woke();
        Assert.Same(before, _machine.StateOf<PsciState>());
    }

    [Theory]
    [InlineData(Ids.CpuOff)]
    [InlineData(Ids.CpuFreeze)]
    public void Lets_the_others_suspend_the_system(uint id)
    {
        Start();
        _machine.Core(1).Call(id);
        _machine.Core(1).Stopped();
        Assert.Equal(Answer.Success with { Then = new Effect.SystemEvent(SystemEventType.Suspend, [Entry, 7]) }, _machine.Call(Ids.SystemSuspend, Entry, 7));
    }

    [Theory]
    [InlineData(Ids.CpuOff)]
    [InlineData(Ids.CpuFreeze)]
    public void The_last_core_may_go_too(uint id) =>
        Assert.Equal(Answer.NoResults with { Then = new Effect.PowerOff() }, _machine.Call(id));

    private PowerState[] Powers => [.. _machine.StateOf<PsciState>().Cores.Select(core => core.Power)];

    private void Start()
    {
        _machine.Call(Ids.CpuOn, 1, Entry);
        _machine.Core(1).Started();
    }
}

using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>Which event is delivered, where, and when (DEN0054, Event dispatch).</summary>
public sealed class DispatchTests
{
    private readonly TestMachine _machine = Machine(new() { Events = Events, Cores = [0, 1, 2] });

    private TestCore Core => _machine.Core(0);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          state        masked runs                event            delivered
    [InlineData("enabled",    false, "nothing",         PrivateNormal,   true)]
    [InlineData("enabled",    false, "nothing",         PrivateCritical, true)]
    [InlineData("enabled",    true,  "nothing",         PrivateNormal,   false)] // masked
    [InlineData("enabled",    true,  "nothing",         PrivateCritical, false)] // for both priorities
    [InlineData("registered", false, "nothing",         PrivateNormal,   false)] // not enabled
    [InlineData("registered", false, "nothing",         PrivateCritical, false)]
    [InlineData("enabled",    false, "normal",          PrivateNormal,   false)] // same class never preempts
    [InlineData("enabled",    false, "normal",          PrivateCritical, true)]
    [InlineData("enabled",    false, "critical",        PrivateNormal,   false)]
    [InlineData("enabled",    false, "critical",        PrivateCritical, false)]
    [InlineData("enabled",    false, "normal critical", PrivateNormal,   false)]
    [InlineData("enabled",    false, "normal critical", PrivateCritical, false)]
    [InlineData("enabled",    true,  "normal",          PrivateCritical, false)]
    [InlineData("registered", false, "normal",          PrivateCritical, false)]
#pragma warning restore format
    public void Waits_for_all_four_conditions(string state, bool isMasked, string runs, uint number, bool isDelivered)
    {
        Core.Unmasks();
        Run(runs);
        Core.Listens(number);
        if (state == "registered")
        {
            Core.Returns(Ids.EventDisable, number);
        }

        if (isMasked)
        {
            Core.Returns(Ids.PeMask);
        }

        Sdei.Raise(_machine, number, 0);
        Assert.Equal(isDelivered, Core.WantsAttention);
        if (!isDelivered)
        {
            Assert.Equal(Answer.NoResults, Core.Attend(Interrupted()));

            // It was kept: once nothing stands in its way it comes.
            Core.Returns(Ids.EventEnable, number);
            Core.Unmasks();
            while (Core.Call(Ids.EventComplete, 0).Then is not null)
            {
            }
        }

        Core.Enters(number);
        Assert.False(Core.WantsAttention);
    }

    [Fact]
    public void An_event_that_runs_is_not_delivered_again_before_it_completes()
    {
        Core.Listens(PrivateNormal);
        Core.Unmasks();
        Sdei.Raise(_machine, PrivateNormal, 0);
        Core.Enters(PrivateNormal);
        Sdei.Raise(_machine, PrivateNormal, 0);
        Sdei.Raise(_machine, PrivateNormal, 0);
        Assert.False(Core.WantsAttention);
        Core.Completes();
        Core.Enters(PrivateNormal); // the two collapse into one
        Core.Completes();
        Assert.False(Core.WantsAttention);
    }

    [Fact]
    public void Critical_ones_come_first_and_each_class_in_the_order_of_its_triggers()
    {
        foreach (var number in new[] { PrivateNormal, PrivateCritical, SharedNormal, SharedCritical })
        {
            Core.Listens(number);
        }

        Sdei.Raise(_machine, SharedNormal, null);
        Sdei.Raise(_machine, SharedCritical, null);
        Sdei.Raise(_machine, PrivateNormal, 0);
        Sdei.Raise(_machine, PrivateCritical, 0);
        Sdei.Raise(_machine, SharedNormal, null);
        Core.Unmasks();
        foreach (var number in new[] { SharedCritical, PrivateCritical, SharedNormal, PrivateNormal })
        {
            Core.Enters(number);
            Core.Completes();
        }

        Assert.False(Core.WantsAttention);
    }

    [Theory]
    [InlineData(Ids.PeMask)]
    [InlineData(Ids.EventDisable)]
    [InlineData(Ids.EventUnregister)]
    public void What_a_handler_changes_holds_for_later_events(uint id)
    {
        Core.Listens(0);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0);
        Core.Call(id, 0);
        Core.Signals(Core);
        Core.Completes();
        Assert.False(Core.WantsAttention);
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          core 0     core 1     core 2     event           target
    [InlineData("idle",     "idle",     "idle",     SharedNormal,   0)] // the lowest
    [InlineData("masked",   "idle",     "idle",     SharedNormal,   1)]
    [InlineData("off",      "masked",   "idle",     SharedNormal,   2)]
    [InlineData("normal",   "idle",     "idle",     SharedNormal,   1)]
    [InlineData("critical", "normal",   "idle",     SharedNormal,   2)]
    [InlineData("normal",   "critical", "masked",   SharedNormal,   -1)]
    [InlineData("idle",     "idle",     "idle",     SharedCritical, 0)]
    [InlineData("normal",   "idle",     "idle",     SharedCritical, 1)] // one that runs no handler first
    [InlineData("critical", "normal",   "normal",   SharedCritical, 1)] // then one that it may interrupt
    [InlineData("critical", "normal",   "idle",     SharedCritical, 2)]
    [InlineData("critical", "critical", "off",      SharedCritical, -1)]
    [InlineData("critical", "masked",   "normal",   SharedCritical, 2)]
#pragma warning restore format
    public void RM_ANY_takes_a_PE_that_admits_it(string core0, string core1, string core2, uint number, int target)
    {
        Assert.Equal(0, Core.Returns(Ids.EventRegister, number, Entry, Argument, 0, 0));
        var states = new[] { core0, core1, core2 };
        for (var i = 0; i < states.Length; i++)
        {
            Be(_machine.Core(i), states[i]);
        }

        Sdei.Raise(_machine, number, null);
        Assert.Equal(-1, Wanted);
        EnableFrom(Array.FindIndex(states, state => state != "off"), number);
        Assert.Equal(target, Wanted);
        if (target >= 0)
        {
            _machine.Core(target).Enters(number);
            Assert.Equal(-1, Wanted);
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          core 1      delivered
    [InlineData("idle",     true)]
    [InlineData("masked",   false)]
    [InlineData("off",      false)]
    [InlineData("normal",   false)]
#pragma warning restore format
    public void RM_PE_takes_no_other_PE(string core1, bool isDelivered)
    {
        Core.Unmasks();
        Core.Listens(SharedNormal, ByPe, affinity: 1);
        Be(_machine.Core(1), core1);
        Sdei.Raise(_machine, SharedNormal, null);
        Assert.Equal(isDelivered ? 1 : -1, Wanted);
    }

    [Fact]
    public void A_waiting_shared_event_moves_with_its_routing_and_with_what_the_PEs_do()
    {
        Core.Listens(SharedNormal, ByPe, affinity: 1);
        Sdei.Raise(_machine, SharedNormal, null);
        _machine.Core(2).Unmasks();
        Assert.Equal(-1, Wanted);

        Core.Returns(Ids.EventDisable, SharedNormal);
        Assert.Equal(0, Core.Returns(Ids.EventRoutingSet, SharedNormal, 0, 0));
        Core.Returns(Ids.EventEnable, SharedNormal);
        Assert.Equal(2, Wanted);
        _machine.Core(1).Unmasks();
        Assert.Equal(1, Wanted);
        _machine.Core(1).Returns(Ids.PeMask);
        Assert.Equal(2, Wanted);
        _machine.Core(2).Stopped();
        Assert.Equal(-1, Wanted);
    }

    [Fact]
    public void A_shared_event_runs_on_one_PE_at_a_time()
    {
        Core.Listens(SharedNormal);
        Core.Unmasks();
        _machine.Core(1).Unmasks();
        Sdei.Raise(_machine, SharedNormal, null);
        Core.Enters(SharedNormal);
        Sdei.Raise(_machine, SharedNormal, null);
        Assert.Equal(-1, Wanted);
        Assert.Equal((7, 7), (Core.Status(SharedNormal), _machine.Core(1).Status(SharedNormal)));

        // Of another PE's handler it is told, and may not complete it.
        Assert.Equal(-3, _machine.Core(1).Returns(Ids.EventComplete, 0));
        Assert.Equal(-5, _machine.Core(1).Returns(Ids.EventUnregister, SharedNormal));
        Core.Completes();
        Assert.Equal(0, _machine.Core(1).Status(SharedNormal));
        Assert.Equal(-1, Wanted);
    }

    [Fact]
    public void A_private_event_is_each_PEs_own()
    {
        Core.Listens(0);
        Core.Unmasks();
        _machine.Core(1).Unmasks();
        Assert.Equal((3, 0), (Core.Status(0), _machine.Core(1).Status(0)));
        _machine.Core(1).Listens(0, entry: Entry + 64);
        Core.Signals(Core);
        Core.Signals(_machine.Core(1));
        Assert.Equal(Entry, Core.Enters(0).Pc);
        Assert.Equal(Entry + 64, _machine.Core(1).Enters(0).Pc);
    }

    /// <summary>Whether a trigger of a time when nobody listened is kept is the implementation's choice; it is not, but for interrupts.</summary>
    [Fact]
    public void A_signal_that_nobody_has_registered_for_is_dropped_and_counted()
    {
        Core.Unmasks();
        Core.Signals(Core);
        Core.Signals(_machine.Core(1));
        Core.Listens(0);
        Assert.Equal((false, 2ul), (Core.WantsAttention, Sdei.Dropped(_machine)));

        Core.Returns(Ids.PeMask);
        Core.Signals(Core);
        Core.Signals(Core);
        Assert.Equal(0, Core.Returns(Ids.EventUnregister, 0));
        Core.Listens(0);
        Core.Unmasks();
        Assert.Equal((false, 3ul), (Core.WantsAttention, Sdei.Dropped(_machine)));
    }

    /// <summary>The one core that is wanted; −1 where none is.</summary>
    private int Wanted => Enumerable.Range(0, 3).Where(i => _machine.Core(i).WantsAttention).Append(-1).ToArray() switch
    {
        [var one, -1] => one,
        [-1] => -1,
        var several => throw new InvalidOperationException($"Cores {string.Join(", ", several)} are wanted for one event."),
    };

    private void EnableFrom(int core, uint number) => Assert.Equal(0, _machine.Core(core).Returns(Ids.EventEnable, number));

    // Shared events of its own, so that those of a test are free.
    private void Run(string handlers)
    {
        foreach (var handler in handlers.Split(' '))
        {
            if (handler != "nothing")
            {
                var number = handler == "normal" ? OtherNormal : OtherCritical;
                Core.Listens(number, ByPe, affinity: 0);
                Sdei.Raise(_machine, number, null);
                Core.Enters(number);
            }
        }
    }

    private void Be(TestCore core, string state)
    {
        switch (state)
        {
            case "off":
                core.Stopped();
                break;
            case "masked":
                core.Returns(Ids.PeMask);
                break;
            case "idle":
                core.Unmasks();
                break;
            case "normal":
                core.Unmasks();
                core.Listens(0);
                core.Signals(core);
                core.Enters(0);
                break;
            default:
                core.Unmasks();
                core.Listens(PrivateCritical);
                Sdei.Raise(_machine, PrivateCritical, _machine.Description.IndexOf(core.Mpidr));
                core.Enters(PrivateCritical);
                break;
        }
    }
}

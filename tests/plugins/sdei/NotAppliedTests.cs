using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>Answers that never reached the guest.</summary>
public sealed class NotAppliedTests
{
    private readonly TestMachine _machine = Machine();

    private TestCore Core => _machine.Core(0);

    private TestCore Other => _machine.Core(1);

    [Fact]
    public void An_event_that_was_not_entered_waits_again_in_its_old_place()
    {
        Core.Listens(0);
        Core.Listens(SharedNormal);
        Core.Signals(Core);
        Sdei.Raise(_machine, SharedNormal, null);
        Core.Unmasks();
        Core.Enters(0);
        Other.Signals(Core); // collapses with the one that waits again
        Core.FellBack();
        Assert.Equal(3, Core.Status(0));
        Assert.Equal(-3, Core.Returns(Ids.EventContext, 0));

        var again = Interrupted(pc: 0x4000_5678);
        Assert.Equal(0x4000_5678ul, Core.Enters(0, again).Registers[2].Value);
        Assert.Equal(0x4000_5678ul, Core.Completes().Pc);
        Core.Enters(SharedNormal);
        Core.Completes();
        Assert.False(Core.WantsAttention);
        Assert.Equal(0ul, Sdei.Dropped(_machine));
    }

    [Theory]
    [InlineData(Ids.EventComplete)]
    [InlineData(Ids.EventCompleteAndResume)]
    public void A_handler_that_did_not_complete_runs_on(uint id)
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        Core.Unmasks();
        Core.Enters(spi, intid: Spi);
        Core.Call(id, Entry);
        Core.FellBack();
        Assert.Equal((7, 0x105), (Core.Status(spi), Core.Returns(Ids.EventContext, 5)));
        Assert.Equal(
            Answer.NoResults with
            {
                EndedInterrupts = [Spi],
                Then = new Effect.Load { Registers = Saved(Interrupted()), Pc = 0x4000_1234, Pstate = new(0x6000_0005) },
            },
            Core.Call(Ids.EventComplete, 0));
    }

    [Fact]
    public void A_handler_that_was_to_be_forgotten_still_is()
    {
        Core.Listens(0);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0);
        Core.Returns(Ids.EventUnregister, 0);
        Core.Completes();
        Core.FellBack();
        Assert.Equal(4, Core.Status(0));
        Core.Completes();
        Assert.Equal(0, Core.Status(0));
    }

    [Fact]
    public void The_outer_handler_is_the_inner_ones_context_again()
    {
        Core.Listens(0);
        Core.Listens(PrivateCritical);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0);
        Sdei.Raise(_machine, PrivateCritical, 0);
        var inHandler = Interrupted(pc: Entry + 8, pstate: 0x3C5);
        Core.Enters(PrivateCritical, inHandler);
        Core.Completes();
        Core.FellBack();
        Assert.Equal((7, 7), (Core.Status(0), Core.Status(PrivateCritical)));
        Assert.Equal(Entry + 8, Core.Completes().Pc);
        Assert.Equal(0x4000_1234ul, Core.Completes().Pc);
    }

    [Fact]
    public void An_interrupt_that_was_not_ended_is_still_to_be_ended()
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        Core.Unmasks();
        Core.Enters(spi, intid: Spi);
        Core.Stopped();
        Assert.Equal([Spi], Other.Attend(Interrupted()).EndedInterrupts);
        Other.FellBack();
        Assert.True(Other.WantsAttention);
        Assert.Equal(Answer.NoResults with { EndedInterrupts = [Spi] }, Other.Attend(Interrupted()));
    }

    /// <summary>The host has not ended or returned it: were the trigger forgotten too, it would never fire again.</summary>
    [Theory]
    [InlineData(Ids.EventUnregister, Ppi, true)]
    [InlineData(Ids.EventUnregister, Spi, true)]
    [InlineData(Ids.PrivateReset, Ppi, true)]
    [InlineData(Ids.SharedReset, Ppi, false)]
    [InlineData(Ids.SharedReset, Spi, false)]
    [InlineData(Ids.SharedReset, Spi, true)]
    [InlineData(Ids.InterruptRelease, Ppi, false)]
    [InlineData(Ids.InterruptRelease, Spi, false)]
    public void An_interrupt_that_fired_is_not_forgotten(uint id, uint intid, bool isRegistered)
    {
        var number = Core.Binds(intid);
        if (isRegistered)
        {
            Core.Listens(number);
        }

        Core.Attend(Interrupted(), intid);
        var answer = Core.Call(id, number);
        Assert.Equal([intid], [.. answer.EndedInterrupts, .. answer.ReturnedInterrupts]);
        Core.FellBack();

        // Its end is asked for again, or its event still comes.
        if (!Core.WantsAttention)
        {
            Core.Call(Ids.EventRegister, number, Entry, Argument, 0, 0);
            Core.Call(Ids.EventEnable, number);
            Core.Unmasks();
        }

        Assert.True(Core.WantsAttention);
        var attended = Core.Attend(Interrupted());
        Assert.Equal([intid], attended.Then is null ? attended.EndedInterrupts : Core.Call(Ids.EventComplete, 0).EndedInterrupts);
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          function      PSTATE   before answer
    [InlineData(Ids.PeMask,   0x3C5ul, true,  0)]
    [InlineData(Ids.PeMask,   0x3C5ul, false, 1)]
    [InlineData(Ids.PeUnmask, 0x3C5ul, true,  0)]
    [InlineData(Ids.PeUnmask, 0x3C5ul, false, 0)]
    [InlineData(Ids.PeMask,   0x3C9ul, true,  -1)] // refused: not the client's exception level
    [InlineData(Ids.PeMask,   0x3C9ul, false, -1)]
    [InlineData(Ids.PeUnmask, 0x3C9ul, true,  -1)]
    [InlineData(Ids.PeUnmask, 0x3C9ul, false, -1)]
#pragma warning restore format
    public void The_mask_is_as_before(uint id, ulong pstate, bool isMasked, long answer)
    {
        Core.Returns(isMasked ? Ids.PeMask : Ids.PeUnmask);
        Assert.Equal(answer, (Core with { Pstate = new(pstate) }).Returns(id));
        Core.FellBack();
        Assert.Equal(isMasked ? 0 : 1, Core.Returns(Ids.PeMask));
    }

    [Theory]
    [InlineData(Ids.InterruptRelease)]
    [InlineData(Ids.SharedReset)]
    public void An_interrupt_that_was_not_returned_keeps_its_event(uint id)
    {
        Core.Binds(40);
        var second = Core.Binds(41);
        var third = Core.Binds(42);
        Core.Call(Ids.InterruptRelease, 0x4020_0000);
        Core.Call(id, second);
        Core.FellBack();
        Assert.Equal((-2, 0, 0), (Core.Status(0x4020_0000), Core.Status(second), Core.Status(third)));
        Assert.Equal((second, third), (Core.Returns(Ids.InterruptBind, 41), Core.Returns(Ids.InterruptBind, 42)));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          before             PSTATE
    [InlineData(Ids.Version,       0x3C5ul)]
    [InlineData(Ids.PeMask,        0x3C5ul)]
    [InlineData(Ids.EventRegister, 0x3C5ul)]
    [InlineData(Ids.EventSignal,   0x3C5ul)]
    [InlineData(Ids.InterruptBind, 0x3C5ul)]
    [InlineData(Ids.PrivateReset,  0x3C5ul)]
    [InlineData(Ids.Version,       0x3C9ul)] // refused
    [InlineData(Ids.EventRegister, 0x3C9ul)]
#pragma warning restore format
    public void A_PE_that_was_not_unmasked_is_masked_as_it_started(uint before, ulong pstate)
    {
        Core.Call(before, before == Ids.InterruptBind ? Spi : 0, before == Ids.EventRegister ? Entry : 0);
        (Core with { Pstate = new(pstate) }).Returns(Ids.PeUnmask);
        Core.FellBack();
        Assert.Equal(0, Core.Returns(Ids.PeMask));
    }

    [Fact]
    public void What_was_registered_enabled_or_routed_is_so_no_longer()
    {
        Assert.Equal(0, Core.Returns(Ids.EventRegister, SharedNormal, Entry, Argument, 0, 0));
        Core.FellBack();
        Assert.Equal(0, Core.Status(SharedNormal));
        Assert.Equal(0, Core.Returns(Ids.EventRegister, SharedNormal, Entry, Argument, 0, 0));
        Core.Returns(Ids.EventEnable, SharedNormal);
        Core.FellBack();
        Assert.Equal(1, Core.Status(SharedNormal));
        Core.Returns(Ids.EventRoutingSet, SharedNormal, 1, 1);
        Core.FellBack();
        Assert.Equal(0, Core.Returns(Ids.EventGetInfo, SharedNormal, 3));
        Core.Returns(Ids.EventEnable, SharedNormal);
        Core.Returns(Ids.EventDisable, SharedNormal);
        Core.FellBack();
        Assert.Equal(3, Core.Status(SharedNormal));
        Core.Returns(Ids.EventUnregister, SharedNormal);
        Core.FellBack();
        Assert.Equal(3, Core.Status(SharedNormal));
    }

    /// <summary>The guest believes it disabled: no trigger that came in the meantime makes that wrong.</summary>
    [Fact]
    public void An_event_that_was_not_enabled_is_not_even_though_it_was_triggered_since()
    {
        Assert.Equal(0, Core.Returns(Ids.EventRegister, SharedNormal, Entry, Argument, 0, 0));
        Core.Unmasks();
        Core.Returns(Ids.EventEnable, SharedNormal);
        Sdei.Raise(_machine, SharedNormal, null);
        Core.FellBack();
        Assert.Equal((1, false), (Core.Status(SharedNormal), Core.WantsAttention));
    }

    [Theory]
    [InlineData(Ids.EventEnable, 3)]
    [InlineData(Ids.EventDisable, 1)]
    public void What_changed_nothing_is_not_undone(uint id, long status)
    {
        Core.Listens(0);
        Core.Returns(id, 0);
        Core.Returns(id, 0);
        Core.FellBack();
        Assert.Equal(status, Core.Status(0));
    }
}

using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>What takes everything away (DEN0054, SDEI_PRIVATE_RESET, SDEI_SHARED_RESET).</summary>
public sealed class ResetTests
{
    private readonly TestMachine _machine = Machine();

    private TestCore Core => _machine.Core(0);

    private TestCore Other => _machine.Core(1);

    [Fact]
    public void PRIVATE_RESET_unregisters_the_callers_private_events_alone()
    {
        var ppi = Core.Binds(Ppi);
        foreach (var number in new uint[] { 0, PrivateNormal, PrivateCritical, ppi })
        {
            Core.Listens(number);
            Other.Listens(number);
        }

        Core.Listens(SharedNormal);
        Core.Unmasks();
        Assert.Equal(0, Core.Returns(Ids.PrivateReset));
        foreach (var number in new uint[] { 0, PrivateNormal, PrivateCritical, ppi })
        {
            Assert.Equal((0, 3), (Core.Status(number), Other.Status(number)));
        }

        Assert.Equal(3, Core.Status(SharedNormal));
        Assert.Equal(1, Core.Returns(Ids.PeMask)); // the mask is untouched
        Assert.Equal(0, Core.Returns(Ids.PrivateReset));
    }

    [Fact]
    public void PRIVATE_RESET_is_denied_where_a_private_handler_runs_and_does_its_work()
    {
        Core.Listens(0);
        Core.Listens(PrivateNormal);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0);
        Assert.Equal(0, Other.Returns(Ids.PrivateReset));
        Assert.Equal(-3, Core.Returns(Ids.PrivateReset));
        Assert.Equal((4, 0), (Core.Status(0), Core.Status(PrivateNormal)));
        Assert.Equal(-3, Core.Returns(Ids.PrivateReset));
        Core.Completes();
        Assert.Equal(0, Core.Status(0));
        Assert.Equal(0, Core.Returns(Ids.PrivateReset));
    }

    [Fact]
    public void PRIVATE_RESET_does_not_mind_shared_handlers()
    {
        Core.Listens(SharedNormal);
        Core.Unmasks();
        Sdei.Raise(_machine, SharedNormal, null);
        Core.Enters(SharedNormal);
        Assert.Equal(0, Core.Returns(Ids.PrivateReset));
        Assert.Equal(7, Core.Status(SharedNormal));
    }

    [Fact]
    public void PRIVATE_RESET_drops_triggers_and_ends_their_interrupts()
    {
        var ppi = Core.Binds(Ppi);
        Core.Listens(ppi);
        Core.Listens(0);
        Core.Attend(Interrupted(), Ppi);
        Core.Signals(Core);
        Assert.Equal(Answer.Success with { EndedInterrupts = [Ppi] }, Core.Call(Ids.PrivateReset));
        Assert.Equal(2ul, Sdei.Dropped(_machine));
        Core.Listens(ppi);
        Core.Listens(0);
        Core.Unmasks();
        Assert.False(Core.WantsAttention);
    }

    [Fact]
    public void SHARED_RESET_unregisters_shared_events_and_returns_interrupts_in_slot_order()
    {
        Core.Binds(41);
        Core.Binds(40);
        Core.Binds(27);
        Core.Binds(20);
        Core.Listens(0x4020_0000);
        Core.Listens(SharedCritical);
        Core.Listens(0);
        Assert.Equal(Answer.Success with { ReturnedInterrupts = [27, 20, 41, 40] }, Other.Call(Ids.SharedReset));
        Assert.Equal((3, 0, -2, -2), (Core.Status(0), Core.Status(SharedCritical), Core.Status(0x4010_0000), Core.Status(0x4020_0000)));
        Assert.Equal(Answer.Success, Core.Call(Ids.SharedReset));
        Assert.Equal(0x4020_0000u, Core.Binds(40));
    }

    [Fact]
    public void SHARED_RESET_is_denied_where_a_shared_handler_runs_and_releases_nothing()
    {
        var spi = Core.Binds(Spi);
        Core.Listens(SharedNormal);
        Core.Listens(spi);
        Core.Unmasks();
        Sdei.Raise(_machine, SharedNormal, null);
        Core.Enters(SharedNormal);
        Assert.Equal(-3, Other.Returns(Ids.SharedReset));
        Assert.Equal((4, 0), (Core.Status(SharedNormal), Core.Status(spi)));
        Core.Completes();
        Assert.Equal(Answer.Success with { ReturnedInterrupts = [Spi] }, Core.Call(Ids.SharedReset));
    }

    [Fact]
    public void SHARED_RESET_is_denied_where_a_bound_private_event_is_registered_on_any_PE()
    {
        var ppi = Core.Binds(Ppi);
        Other.Listens(ppi);
        Core.Listens(SharedNormal);
        Assert.Equal(-3, Core.Returns(Ids.SharedReset));
        Assert.Equal((3, 0), (Other.Status(ppi), Core.Status(SharedNormal)));
        Assert.Equal(0, Other.Returns(Ids.PrivateReset));
        Assert.Equal(Answer.Success with { ReturnedInterrupts = [Ppi] }, Core.Call(Ids.SharedReset));
    }

    [Fact]
    public void SHARED_RESET_drops_triggers_and_ends_their_interrupts_where_it_does_not_return_them()
    {
        var spi = Core.Binds(Spi);
        var ppi = Core.Binds(Ppi);
        Core.Listens(spi);
        Core.Listens(ppi);
        Core.Attend(Interrupted(), Spi);
        Assert.Equal(Answer.Status(-3) with { EndedInterrupts = [Spi] }, Core.Call(Ids.SharedReset));
        Assert.Equal(1ul, Sdei.Dropped(_machine));
        Core.Listens(spi);
        Core.Unmasks();
        Assert.False(Core.WantsAttention);
        Core.Enters(spi, intid: Spi);
    }
}

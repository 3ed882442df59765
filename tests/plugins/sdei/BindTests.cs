using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>Interrupts as events (DEN0054, SDEI_INTERRUPT_BIND, SDEI_INTERRUPT_RELEASE).</summary>
public sealed class BindTests
{
    private readonly TestMachine _machine = Machine();

    private TestCore Core => _machine.Core(0);

    private TestCore Other => _machine.Core(1);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          interrupt            x0
    [InlineData(0ul,                 -2)] // SGI
    [InlineData(15ul,                -2)]
    [InlineData(16ul,                -2)] // not the client's: the host does not offer it
    [InlineData(19ul,                -2)]
    [InlineData(20ul,                0x4010_0000)] // PPI: private
    [InlineData(31ul,                0x4010_0000)]
    [InlineData(32ul,                0x4020_0000)] // SPI: shared
    [InlineData(63ul,                0x4020_0000)]
    [InlineData(64ul,                -2)]
    [InlineData(1019ul,              -2)]
    [InlineData(1020ul,              -2)] // nonexistent
    [InlineData(8192ul,              -2)] // LPI
    [InlineData(0x1_0000_0000ul + 27, -2)]
    [InlineData(ulong.MaxValue,      -2)]
#pragma warning restore format
    public void By_the_interrupt(ulong interrupt, long x0)
    {
        var answer = Core.Call(Ids.InterruptBind, interrupt);
        Assert.Equal(x0, (long)answer.X0);
        Assert.Equal(x0 < 0 ? null : new Effect.TakeInterrupt((uint)interrupt, IfRefused: -3), answer.Then);
    }

    [Fact]
    public void The_lowest_free_slot_first()
    {
        Assert.Equal([0x4020_0000, 0x4020_0001, 0x4020_0002], new[] { Core.Binds(40), Other.Binds(41), Core.Binds(42) });
        Assert.Equal(-10, Core.Returns(Ids.InterruptBind, 43)); // no free slot
        Assert.Equal([0x4010_0000u, 0x4010_0001], new[] { Core.Binds(27), Core.Binds(20) });
        Assert.Equal(Answer.Success with { ReturnedInterrupts = [41] }, Core.Call(Ids.InterruptRelease, 0x4020_0001));
        Assert.Equal(-2, Core.Status(0x4020_0001));
        Assert.Equal(0x4020_0001u, Core.Binds(43));
    }

    [Fact]
    public void A_bound_interrupt_keeps_its_event()
    {
        var spi = Core.Binds(Spi);
        Assert.Equal(spi, Other.Returns(Ids.InterruptBind, Spi));
        Other.Listens(spi);
        Assert.Equal(spi, Core.Returns(Ids.InterruptBind, Spi));
        Assert.Equal((3, 3), (Core.Status(spi), Other.Status(spi)));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          slots offered     SGI interrupt other
    [InlineData(0, 0, true,       -2, -10, -10)]
    [InlineData(3, 3, false,      -2, -10, -10)] // without interrupts there are no slots
    [InlineData(0, 3, true,       -2, -10, -2)] // the PPI alone has none
#pragma warning restore format
    public void Without_slots(int privateSlots, int sharedSlots, bool isOffered, long sgi, long offered, long other)
    {
        var core = Machine(new() { Interrupts = isOffered ? [new(16, 63)] : [], PrivateSlots = privateSlots, SharedSlots = sharedSlots }).Core(0);
        Assert.Equal(isOffered ? sharedSlots << 16 | privateSlots : 0, core.Returns(Ids.Features, 0));
        Assert.Equal(sgi, core.Returns(Ids.InterruptBind, 7));
        Assert.Equal(offered, core.Returns(Ids.InterruptBind, Ppi));
        Assert.Equal(other, core.Returns(Ids.InterruptBind, 100));
    }

    [Theory]
    [InlineData(Ppi)]
    [InlineData(Spi)]
    public void Refused_by_the_host_it_is_not_bound(uint intid)
    {
        var number = Core.Binds(intid);
        Core.FellBack();
        Assert.Equal(-2, Core.Status(number));
        Assert.Equal(number, Core.Binds(intid));
        Assert.Equal(0, Core.Status(number));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          event            x0
    [InlineData(1u,              -2)] // unknown event
    [InlineData(0u,              -2)] // not a bound event
    [InlineData(PrivateNormal,   -2)]
    [InlineData(SharedCritical,  -2)]
    [InlineData(0x4010_0000u,    -2)] // an empty slot
    [InlineData(0x4020_0000u,    -2)]
#pragma warning restore format
    public void Only_bound_events_are_released(uint number, long x0) => Assert.Equal(x0, Core.Returns(Ids.InterruptRelease, number));

    [Fact]
    public void Any_PE_that_has_the_event_registered_holds_it()
    {
        var ppi = Core.Binds(Ppi);
        Other.Listens(ppi);
        Assert.Equal(-3, Core.Returns(Ids.InterruptRelease, ppi));
        Other.Unmasks();
        Other.Enters(ppi, intid: Ppi);
        Assert.Equal(-5, Other.Returns(Ids.EventUnregister, ppi));
        Assert.Equal(-3, Core.Returns(Ids.InterruptRelease, ppi)); // it runs still
        Other.Completes();
        Assert.Equal(Answer.Success with { ReturnedInterrupts = [Ppi] }, Core.Call(Ids.InterruptRelease, ppi));
    }

    [Theory]
    [InlineData(Ppi)]
    [InlineData(Spi)]
    public void A_trigger_waits_in_every_state_and_COMPLETE_ends_the_interrupt(uint intid)
    {
        var number = Core.Binds(intid);
        Core.Unmasks();
        Assert.Equal(Answer.NoResults, Core.Attend(Interrupted(), intid));
        Assert.Equal(Answer.NoResults, Core.Attend(Interrupted(), intid)); // told of again
        Core.Listens(number);
        Assert.Equal(Entry, Core.Enters(number).Pc);
        Assert.Equal(Answer.NoResults, Core.Attend(Interrupted(), intid)); // and again
        Assert.Equal(
            Answer.NoResults with
            {
                EndedInterrupts = [intid],
                Then = new Effect.Load { Registers = Saved(Interrupted()), Pc = 0x4000_1234, Pstate = new(0x6000_0005) },
            },
            Core.Call(Ids.EventComplete, 0));
        Assert.False(Core.WantsAttention);
        Assert.Equal(0ul, Sdei.Dropped(_machine));
    }

    [Theory]
    [InlineData(Ppi)]
    [InlineData(Spi)]
    public void COMPLETE_AND_RESUME_ends_it_too(uint intid)
    {
        var number = Core.Binds(intid);
        Core.Listens(number);
        Core.Unmasks();
        Core.Enters(number, intid: intid);
        Assert.Equal([intid], Core.Call(Ids.EventCompleteAndResume, Entry).EndedInterrupts);
    }

    [Theory]
    [InlineData(Ppi)]
    [InlineData(Spi)]
    public void UNREGISTER_drops_a_trigger_and_ends_its_interrupt(uint intid)
    {
        var number = Core.Binds(intid);
        Core.Listens(number);
        Core.Attend(Interrupted(), intid);
        Assert.Equal(Answer.Success with { EndedInterrupts = [intid] }, Core.Call(Ids.EventUnregister, number));
        Assert.Equal(1ul, Sdei.Dropped(_machine));
        Core.Listens(number);
        Core.Unmasks();
        Assert.False(Core.WantsAttention);
        Core.Enters(number, intid: intid);
    }

    [Fact]
    public void RELEASE_takes_waiting_triggers_with_it()
    {
        var spi = Core.Binds(Spi);
        Core.Attend(Interrupted(), Spi);
        Assert.Equal(Answer.Success with { ReturnedInterrupts = [Spi] }, Core.Call(Ids.InterruptRelease, spi));
        Assert.Equal(spi, Core.Binds(Spi));
        Core.Listens(spi);
        Core.Unmasks();
        Assert.False(Core.WantsAttention);
    }

    [Fact]
    public void A_private_interrupt_is_of_the_core_that_it_stopped()
    {
        var ppi = Core.Binds(Ppi);
        foreach (var core in new[] { Core, Other })
        {
            core.Listens(ppi);
            core.Unmasks();
        }

        Other.Enters(ppi, intid: Ppi);
        Core.Enters(ppi, intid: Ppi);
        Assert.Equal((7, 7), (Core.Status(ppi), Other.Status(ppi)));
        Core.Completes();
        Assert.Equal((3, 7), (Core.Status(ppi), Other.Status(ppi)));
    }

    [Fact]
    public void A_shared_interrupt_goes_where_its_event_goes()
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi, ByPe, affinity: 1);
        Core.Unmasks();
        Other.Unmasks();
        Assert.Equal(Answer.NoResults, Core.Attend(Interrupted(), Spi));
        Assert.Equal((false, true), (Core.WantsAttention, Other.WantsAttention));
        Other.Enters(spi);
    }
}

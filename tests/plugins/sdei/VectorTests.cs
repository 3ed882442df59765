using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>Short conversations, call by call, as a kernel's probe and its first events have them.</summary>
public sealed class VectorTests
{
    private readonly TestMachine _machine = Machine();

    private TestCore Core => _machine.Core(0);

    [Fact]
    public void A_PE_starts_masked()
    {
        Assert.Equal(0, Core.Returns(Ids.PeMask));
        Assert.Equal(0, Core.Returns(Ids.PeUnmask));
        Assert.Equal(1, Core.Returns(Ids.PeMask));
        Assert.Equal(0, Core.Returns(Ids.PeMask));
    }

    [Fact]
    public void Event_0_is_registered_then_enabled()
    {
        Assert.Equal(0, Core.Status(0));
        Assert.Equal(-3, Core.Returns(Ids.EventEnable, 0));
        Assert.Equal(0, Core.Returns(Ids.EventRegister, 0, Entry, Argument, 0, 0));
        Assert.Equal(-3, Core.Returns(Ids.EventRegister, 0, Entry, Argument, 0, 0));
        Assert.Equal(1, Core.Status(0));
        Assert.Equal(0, Core.Returns(Ids.EventEnable, 0));
        Assert.Equal(3, Core.Status(0));
    }

    [Fact]
    public void A_signal_waits_for_UNMASK_and_the_handler_sees_what_it_interrupted()
    {
        Core.Listens(0);
        Core.Signals(Core);
        Assert.False(Core.WantsAttention);
        Core.Unmasks();

        // The result of UNMASK is written, and PC is past the call, before the handler is entered.
        var after = Interrupted(pc: 0x4000_0104, pstate: 0x6000_0005);
        after = after with { X = after.X.With(0, 0) };
        Assert.True(Core.WantsAttention);
        Assert.Equal(
            Answer.NoResults with
            {
                Then = new Effect.Load { Registers = [new(0, 0), new(1, Argument), new(2, 0x4000_0104), new(3, 0x6000_0005)], Pc = Entry, Pstate = new(0x6000_03C5) },
            },
            Core.Attend(after));
        Assert.Equal(0, Core.Returns(Ids.EventContext, 0));
        Assert.Equal(7, Core.Status(0));
        Assert.False(Core.WantsAttention);
    }

    [Fact]
    public void A_handler_unregisters_its_own_event()
    {
        Core.Listens(0);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0);
        Assert.Equal(-5, Core.Returns(Ids.EventUnregister, 0));
        Assert.Equal(4, Core.Status(0));
        Assert.Equal(-5, Core.Returns(Ids.EventUnregister, 0));
        Assert.Equal(-3, Core.Returns(Ids.EventRegister, 0, Entry, Argument, 0, 0));
        Assert.Equal(
            Answer.NoResults with { Then = new Effect.Load { Registers = Saved(Interrupted()), Pc = 0x4000_1234, Pstate = new(0x6000_0005) } },
            Core.Call(Ids.EventComplete, 0));
        Assert.Equal(0, Core.Status(0));
    }

    [Fact]
    public void Only_a_handler_has_a_context()
    {
        Assert.Equal(-2, Core.Returns(Ids.EventContext, 18));
        Assert.Equal(-3, Core.Returns(Ids.EventContext, 0));
        Assert.Equal(-3, Core.Returns(Ids.EventComplete, 0));
        Core.Listens(0);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0);
        Assert.Equal(-2, Core.Returns(Ids.EventContext, 18));
        for (var parameter = 0ul; parameter <= 17; parameter++)
        {
            Assert.Equal(0x100 + (long)parameter, Core.Returns(Ids.EventContext, parameter));
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          event          info  x0
    [InlineData(0u,            0ul,   0)] // EV_TYPE: private
    [InlineData(0u,            1ul,   0)] // EV_SIGNALED: it can be signalled
    [InlineData(0u,            2ul,   0)] // EV_PRIORITY: normal
    [InlineData(0u,            3ul,  -2)] // EV_ROUTING_MODE of a private event
    [InlineData(0u,            9ul,  -2)]
    [InlineData(0x7FFF_FFFFu,  0ul,  -2)]
#pragma warning restore format
    public void Says_what_an_event_is(uint number, ulong info, long x0) => Assert.Equal(x0, Core.Returns(Ids.EventGetInfo, number, info));

    [Fact]
    public void COMPLETE_AND_RESUME_goes_on_elsewhere_as_after_an_exception()
    {
        Core.Listens(0);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0);
        Assert.Equal(
            Answer.NoResults with
            {
                Then = new Effect.Load
                {
                    Registers = Saved(Interrupted()),
                    Pc = 0xFFFF_8000_0000_0280,
                    Pstate = new(0x3C5),
                    System = [new(SystemRegister.ElrElc, 0x4000_1234), new(SystemRegister.SpsrElc, 0x6000_0005)],
                },
            },
            Core.Call(Ids.EventCompleteAndResume, 0xFFFF_8000_0000_0280));
        Assert.Equal(3, Core.Status(0));
    }

    [Fact]
    public void A_critical_event_interrupts_a_normal_handler_and_a_normal_one_waits()
    {
        Core.Listens(0);
        Core.Listens(PrivateCritical, entry: Entry + 0x1000);
        Core.Listens(SharedNormal, entry: Entry + 0x2000);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0);

        Sdei.Raise(_machine, SharedNormal, null);
        Assert.False(Core.WantsAttention);
        Sdei.Raise(_machine, PrivateCritical, 0);
        var inHandler = Interrupted(pc: Entry + 8, pstate: 0x3C5);
        Assert.Equal(
            new Effect.Load { Registers = [new(0, PrivateCritical), new(1, Argument), new(2, Entry + 8), new(3, 0x3C5)], Pc = Entry + 0x1000, Pstate = new(0x3C5) },
            Core.Enters(PrivateCritical, inHandler));
        Assert.False(Core.WantsAttention);

        Assert.Equal(new Effect.Load { Registers = Saved(inHandler), Pc = Entry + 8, Pstate = new(0x3C5) }, Core.Completes());
        Assert.False(Core.WantsAttention);
        Core.Completes();
        Core.Enters(SharedNormal);
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          event target
    [InlineData(1ul,  0ul)]
    [InlineData(0ul,  7ul)] // no such PE
#pragma warning restore format
    public void Only_event_0_is_signalled_and_only_to_a_PE(ulong number, ulong target) => Assert.Equal(-2, Core.Returns(Ids.EventSignal, number, target));

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          feature 1.0       1.1
    [InlineData(0ul,    0x3_0002, 0x3_0002)] // BIND_SLOTS: shared, private
    [InlineData(1ul,    -2,       1)]        // RELATIVE_MODE
    [InlineData(2ul,    -2,       -2)]
#pragma warning restore format
    public void Says_what_it_can(ulong feature, long in10, long in11)
    {
        foreach (var (minor, x0) in new[] { (0, in10), (1, in11) })
        {
            Assert.Equal(x0, Machine(new() { Minor = minor, PrivateSlots = 2 }).Core(0).Returns(Ids.Features, feature));
        }
    }
}

using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>Results by situation, call by call (DEN0054, SDEI functions). What belongs to the states of a handler is in <see cref="HandlerStateTests"/>.</summary>
public sealed class ResultTests
{
    private const uint Ppi0 = 0x4010_0000;
    private const uint Spi0 = 0x4020_0000;
    private const ulong Wide = 0xDEAD_BEEF_0000_0000;

    private readonly TestMachine _machine = Machine(new()
    {
        Events = Events,
        Cores = [0, 1, 0x12_0003_0201],
    });

    private TestCore Core => _machine.Core(0);

    [Theory]
    [InlineData(0, 0x0001_0000_0000_0000)]
    [InlineData(1, 0x0001_0001_0000_0000)]
    public void VERSION(int minor, long x0) => Assert.Equal(x0, Machine(new() { Minor = minor }).Core(0).Returns(Ids.Version));

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          event            entry      flags                 affinity             1.1  1.0
    [InlineData(0ul,             Entry,     0ul,                  0ul,                 0,   0)]
    [InlineData(Wide,            Entry,     0ul,                  0ul,                 0,   0)]  // an event is 32 bits
    [InlineData(PrivateNormal,   Entry,     0ul,                  0ul,                 0,   0)]
    [InlineData(PrivateCritical, Entry,     0ul,                  0ul,                 0,   0)]
    [InlineData(SharedNormal,    Entry,     0ul,                  0ul,                 0,   0)]
    [InlineData(SharedCritical,  Entry,     0ul,                  0ul,                 0,   0)]
    [InlineData(Spi0,            Entry,     0ul,                  0ul,                 -2,  -2)] // unknown event: an empty slot
    [InlineData(Ppi0,            Entry,     0ul,                  0ul,                 -2,  -2)]
    [InlineData(1ul,             Entry,     0ul,                  0ul,                 -2,  -2)] // unknown event
    [InlineData(0x8000_0000ul,   Entry,     0ul,                  0ul,                 -2,  -2)]
    [InlineData(0xFFFF_FFFFul,   Entry,     0ul,                  0ul,                 -2,  -2)]
    [InlineData(0ul,             Entry + 1, 0ul,                  0ul,                 -2,  -2)] // entry known bad
    [InlineData(0ul,             Entry + 2, 0ul,                  0ul,                 -2,  -2)]
    [InlineData(0ul,             Entry + 3, 0ul,                  0ul,                 -2,  -2)]
    [InlineData(0ul,             0ul,       0ul,                  0ul,                 -2,  -2)]
    [InlineData(0ul,             0ul,       Relative,             0ul,                 0,   -2)] // the vectors themselves; flag of 1.1
    [InlineData(0ul,             0x280ul,   Relative,             0ul,                 0,   -2)]
    [InlineData(0ul,             0x282ul,   Relative,             0ul,                 -2,  -2)]
    [InlineData(SharedNormal,    0x280ul,   Relative | ByPe,      1ul,                 0,   -2)]
    [InlineData(0ul,             Entry,     ByPe,                 0x77ul,              0,   0)]  // ignored for private events
    [InlineData(0ul,             Entry,     0ul,                  0x77ul,              0,   0)]
    [InlineData(SharedNormal,    Entry,     0ul,                  0x77ul,              0,   0)]  // ignored with RM_ANY
    [InlineData(SharedNormal,    Entry,     ByPe,                 0ul,                 0,   0)]
    [InlineData(SharedNormal,    Entry,     ByPe,                 1ul,                 0,   0)]
    [InlineData(SharedNormal,    Entry,     ByPe,                 0x12_0003_0201ul,    0,   0)]
    [InlineData(SharedNormal,    Entry,     ByPe,                 0x0003_0201ul,       -2,  -2)] // bad affinity: Aff3
    [InlineData(SharedNormal,    Entry,     ByPe,                 2ul,                 -2,  -2)]
    [InlineData(SharedNormal,    Entry,     ByPe,                 0x8000_0001ul,       -2,  -2)] // bit 31 of MPIDR_EL1
    [InlineData(SharedNormal,    Entry,     ByPe,                 Wide | 1,            -2,  -2)]
    [InlineData(SharedNormal,    Entry,     4ul,                  0ul,                 -2,  -2)] // reserved flag bits
    [InlineData(SharedNormal,    Entry,     1ul << 63,            0ul,                 -2,  -2)]
    [InlineData(SharedNormal,    Entry,     1ul << 32,            0ul,                 -2,  -2)]
    [InlineData(0ul,             Entry,     4ul,                  0ul,                 -2,  -2)] // of private events too
#pragma warning restore format
    public void EVENT_REGISTER(ulong number, ulong entry, ulong flags, ulong affinity, long in11, long in10)
    {
        foreach (var (minor, x0) in new[] { (1, in11), (0, in10) })
        {
            var machine = Machine(new() { Minor = minor, Events = Events, Cores = [0, 1, 0x12_0003_0201] });
            var core = machine.Core(0);
            Assert.Equal(x0, core.Returns(Ids.EventRegister, number, entry, Argument, flags, affinity));
            Assert.Equal(x0 == 0 ? 1 : core.Status(number) == -2 ? -2 : 0, core.Status(number));

            // Parameters before state: DENIED only where they are good.
            Assert.Equal(x0 == 0 ? -3 : x0, core.Returns(Ids.EventRegister, number, entry, Argument, flags, affinity));
        }
    }

    [Theory]
    [InlineData(Ids.EventRegister)]
    [InlineData(Ids.EventEnable)]
    [InlineData(Ids.EventDisable)]
    [InlineData(Ids.EventUnregister)]
    [InlineData(Ids.EventStatus)]
    [InlineData(Ids.EventGetInfo)]
    [InlineData(Ids.EventRoutingSet)]
    [InlineData(Ids.InterruptRelease)]
    public void An_unknown_event_is_INVALID_PARAMETERS(uint id)
    {
        foreach (var number in new ulong[] { 1, 803, 0x00FF_FFFF, 0x0100_0000, Ppi0, Spi0, 0x4000_0000, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0324, 0xFFFF_FFFF })
        {
            Assert.Equal(-2, Core.Returns(id, number, 0, 0));
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          param      outside inside
    [InlineData(0ul,            -3, 0x100)]
    [InlineData(17ul,           -3, 0x111)]
    [InlineData(18ul,           -2, -2)] // param > 17, before the state
    [InlineData(Wide | 1,       -2, -2)]
    [InlineData(ulong.MaxValue, -2, -2)]
#pragma warning restore format
    public void EVENT_CONTEXT(ulong parameter, long outside, long inside)
    {
        Assert.Equal(outside, Core.Returns(Ids.EventContext, parameter));
        Run(0);
        Assert.Equal(inside, Core.Returns(Ids.EventContext, parameter));
    }

    [Fact]
    public void EVENT_CONTEXT_may_be_all_ones()
    {
        Core.Listens(0);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(0, Interrupted() with { X = [.. Enumerable.Repeat(ulong.MaxValue, 31)] });
        Assert.Equal(-1, Core.Returns(Ids.EventContext, 3));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          status         outside
    [InlineData(0ul,            -3)] // EV_HANDLED; no handler running on this PE
    [InlineData(1ul,            -3)] // EV_FAILED
    [InlineData(2ul,            -3)] // not validated
    [InlineData(ulong.MaxValue, -3)]
#pragma warning restore format
    public void EVENT_COMPLETE(ulong status, long outside)
    {
        Assert.Equal(outside, Core.Returns(Ids.EventComplete, status));
        Run(0);
        Assert.Equal(-3, _machine.Core(1).Returns(Ids.EventComplete, status));
        Assert.Equal(
            Answer.NoResults with { Then = new Effect.Load { Registers = Saved(Interrupted()), Pc = 0x4000_1234, Pstate = new(0x6000_0005) } },
            Core.Call(Ids.EventComplete, status));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          address               outside
    [InlineData(0xFFFF_8000_0000_0280ul, -3)] // no handler running on this PE
    [InlineData(0ul,                     -3)]
    [InlineData(1ul,                     -2)] // recognisably bad, before the state
    [InlineData(2ul,                     -2)]
    [InlineData(0xFFFF_FFFF_FFFF_FFFFul, -2)]
#pragma warning restore format
    public void EVENT_COMPLETE_AND_RESUME(ulong address, long outside)
    {
        Assert.Equal(outside, Core.Returns(Ids.EventCompleteAndResume, address));
        Run(0);
        if (outside == -2)
        {
            Assert.Equal(-2, Core.Returns(Ids.EventCompleteAndResume, address));
            Assert.Equal(7, Core.Status(0));
            return;
        }

        Assert.Equal(
            Answer.NoResults with
            {
                Then = new Effect.Load
                {
                    Registers = Saved(Interrupted()),
                    Pc = address,
                    Pstate = new(0x3C5),
                    System = [new(SystemRegister.ElrElc, 0x4000_1234), new(SystemRegister.SpsrElc, 0x6000_0005)],
                },
            },
            Core.Call(Ids.EventCompleteAndResume, address));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          event           mode             affinity  unregistered registered
    [InlineData(SharedNormal,   0ul,             0ul,      -3,          0)]
    [InlineData(SharedNormal,   0ul,             0x77ul,   -3,          0)]  // ignored with RM_ANY
    [InlineData(SharedNormal,   1ul,             1ul,      -3,          0)]
    [InlineData(SharedCritical, 1ul,             0ul,      -3,          0)]
    [InlineData(SharedNormal,   2ul,             0ul,      -2,          -2)] // bad mode
    [InlineData(SharedNormal,   Wide,            0ul,      -2,          -2)]
    [InlineData(SharedNormal,   1ul,             0x77ul,   -2,          -2)] // bad affinity
    [InlineData(SharedNormal,   1ul,             1ul << 31, -2,         -2)]
    [InlineData(0ul,            0ul,             0ul,      -2,          -2)] // not shared
    [InlineData(PrivateNormal,  1ul,             0ul,      -2,          -2)]
#pragma warning restore format
    public void EVENT_ROUTING_SET(ulong number, ulong mode, ulong affinity, long unregistered, long registered)
    {
        Assert.Equal(unregistered, Core.Returns(Ids.EventRoutingSet, number, mode, affinity));
        Assert.Equal(0, Core.Returns(Ids.EventRegister, number, Entry, Argument, 0, 0));
        Assert.Equal(registered, Core.Returns(Ids.EventRoutingSet, number, mode, affinity));
        if (registered == 0)
        {
            Assert.Equal((long)mode, Core.Returns(Ids.EventGetInfo, number, 3));
            Assert.Equal(mode == 1 ? (long)affinity : -2, Core.Returns(Ids.EventGetInfo, number, 4));
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          event       target              x0
    [InlineData(0ul,        0ul,                0)] // self
    [InlineData(0ul,        1ul,                0)]
    [InlineData(Wide,       1ul,                0)] // an event is 32 bits
    [InlineData(0ul,        0x12_0003_0201ul,   0)]
    [InlineData(0ul,        0x0003_0201ul,      -2)] // no such PE
    [InlineData(0ul,        2ul,                -2)]
    [InlineData(0ul,        0x8000_0000ul,      -2)] // bit 31 of MPIDR_EL1
    [InlineData(0ul,        Wide,               -2)]
    [InlineData(1ul,        0ul,                -2)] // event ≠ 0
    [InlineData(PrivateNormal, 0ul,             -2)]
    [InlineData(SharedNormal, 0ul,              -2)]
#pragma warning restore format
    public void EVENT_SIGNAL(ulong number, ulong target, long x0) => Assert.Equal(x0, Core.Returns(Ids.EventSignal, number, target));

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          feature           1.1       1.0
    [InlineData(0ul,              0x3_0003, 0x3_0003)] // BIND_SLOTS
    [InlineData(1ul,              1,        -2)]       // RELATIVE_MODE
    [InlineData(2ul,              -2,       -2)]
    [InlineData(Wide,             -2,       -2)]
    [InlineData(Wide | 1,         -2,       -2)]
#pragma warning restore format
    public void FEATURES(ulong feature, long in11, long in10)
    {
        Assert.Equal(in11, Machine(new() { Minor = 1 }).Core(0).Returns(Ids.Features, feature));
        Assert.Equal(in10, Machine(new() { Minor = 0 }).Core(0).Returns(Ids.Features, feature));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          id           client EL caller
    [InlineData(0xC400_0033u, 1, 0x3C5ul)] // reserved
    [InlineData(0xC400_003Fu, 1, 0x3C5ul)]
    [InlineData(0x8400_0020u, 1, 0x3C5ul)] // SMC32 forms do not exist
    [InlineData(0x8400_0032u, 1, 0x3C5ul)]
    [InlineData(Ids.Version,  1, 0x1D3ul)] // AArch32
    [InlineData(Ids.Version,  1, 0x3C9ul)] // EL2, not the client
    [InlineData(Ids.Version,  1, 0x3C0ul)] // EL0
    [InlineData(Ids.PeMask,   2, 0x3C5ul)] // EL1, where EL2 is the client
    [InlineData(Ids.EventStatus, 2, 0x3C5ul)]
#pragma warning restore format
    public void NOT_SUPPORTED(uint id, int clientEl, ulong pstate) =>
        Assert.Equal(Answer.NotSupported, (Machine(new() { ClientEl = clientEl }).Core(0) with { Pstate = new(pstate) }).Call(id, 0, 0, 0, 0, 0));

    [Fact]
    public void Every_function_is_there_for_its_client_by_either_conduit()
    {
        foreach (var (clientEl, pstate) in new[] { (1, 0x3C5ul), (1, 0x3C4ul), (2, 0x3C9ul), (2, 0x3C8ul) })
        {
            for (var id = Ids.Version; id <= Ids.SharedReset; id++)
            {
                var core = Machine(new() { ClientEl = clientEl }).Core(0) with { Pstate = new(pstate) };
                Assert.NotEqual(-1, core.Returns(id, 0, 0));
                Assert.NotEqual(-1, core.Smc.Returns(id | 0x1_0000, 0, 0)); // with the SVE hint
            }
        }
    }

    private void Run(uint number)
    {
        Core.Listens(number);
        Core.Unmasks();
        Core.Signals(Core);
        Core.Enters(number);
    }
}

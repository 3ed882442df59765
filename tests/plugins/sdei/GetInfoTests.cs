using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>What a guest is told of events (DEN0054, SDEI_EVENT_GET_INFO).</summary>
public sealed class GetInfoTests
{
    // Where an interrupt of each type is bound.
    private const uint BoundPrivate = 0x4010_0000;
    private const uint BoundShared = 0x4020_0000;

    private readonly TestMachine _machine = Machine();

    private TestCore Core => _machine.Core(0);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          event            EV_TYPE EV_SIGNALED EV_PRIORITY EV_ROUTING_MODE EV_ROUTING_AFF 5
    [InlineData(0u,              0,      0,          0,          -2,             -2,            -2)]
    [InlineData(PrivateNormal,   0,      1,          0,          -2,             -2,            -2)]
    [InlineData(PrivateCritical, 0,      1,          1,          -2,             -2,            -2)]
    [InlineData(BoundPrivate,    0,      1,          0,          -2,             -2,            -2)]
    [InlineData(SharedNormal,    1,      1,          0,          -3,             -3,            -2)]
    [InlineData(SharedCritical,  1,      1,          1,          -3,             -3,            -2)]
    [InlineData(BoundShared,     1,      1,          0,          -3,             -3,            -2)]
    [InlineData(0x7FFF_FFFFu,    -2,     -2,         -2,         -2,             -2,            -2)]
#pragma warning restore format
    public void Of_an_event_that_is_not_registered(uint number, params int[] x0)
    {
        Core.Binds(Ppi);
        Core.Binds(Spi);
        Assert.Equal(x0, Info(number));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          event            flags affinity EV_TYPE EV_SIGNALED EV_PRIORITY EV_ROUTING_MODE EV_ROUTING_AFF 5
    [InlineData(0u,              ByPe, 1ul,     0,      0,          0,          -2,             -2,            -2)]
    [InlineData(PrivateCritical, 0ul,  0ul,     0,      1,          1,          -2,             -2,            -2)]
    [InlineData(BoundPrivate,    ByPe, 1ul,     0,      1,          0,          -2,             -2,            -2)]
    [InlineData(SharedNormal,    0ul,  1ul,     1,      1,          0,          0,              -2,            -2)]
    [InlineData(SharedNormal,    ByPe, 1ul,     1,      1,          0,          1,              1,             -2)]
    [InlineData(SharedCritical,  ByPe, 0ul,     1,      1,          1,          1,              0,             -2)]
    [InlineData(BoundShared,     ByPe, 1ul,     1,      1,          0,          1,              1,             -2)]
#pragma warning restore format
    public void Of_an_event_that_is_registered(uint number, ulong flags, ulong affinity, params int[] x0)
    {
        Core.Binds(Ppi);
        Core.Binds(Spi);
        Core.Listens(number, flags, affinity);
        Assert.Equal(x0, Info(number));
    }

    [Theory]
    [InlineData(5ul)]
    [InlineData(0x1_0000_0000ul)] // compared as 64 bits
    [InlineData(0x1_0000_0003ul)]
    [InlineData(ulong.MaxValue)]
    public void Of_nothing_else(ulong info)
    {
        Core.Listens(SharedNormal, ByPe);
        Assert.Equal(-2, Core.Returns(Ids.EventGetInfo, SharedNormal, info));
    }

    [Fact]
    public void The_routing_of_an_unregistered_handler_is_denied_while_it_runs()
    {
        Core.Listens(SharedNormal, ByPe);
        Core.Unmasks();
        Sdei.Raise(_machine, SharedNormal, null);
        Core.Enters(SharedNormal);
        Assert.Equal([1, 1, 0, 1, 0, -2], Info(SharedNormal));
        Assert.Equal(-5, Core.Returns(Ids.EventUnregister, SharedNormal));
        Assert.Equal([1, 1, 0, -3, -3, -2], Info(SharedNormal));
    }

    private int[] Info(uint number) => [.. Enumerable.Range(0, 6).Select(info => (int)Core.Returns(Ids.EventGetInfo, number, (ulong)info))];
}

using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Library;

public sealed class ReportQueueTests
{
    [Fact]
    public async Task Tells_in_order_and_ends_when_it_is_complete()
    {
        var queue = new ReportQueue();
        queue.Open();
        queue.Add(Started(1));
        queue.Add(Reset(2));
        var first = await queue.NextAsync(default).Soon();
        var second = await queue.NextAsync(default).Soon();
        var waiting = queue.NextAsync(default);
        queue.Add(Started(3));
        Assert.Equal((Started(1), Reset(2), Started(3)), (first, second, await waiting.Soon()));
        queue.Add(Started(4));
        queue.Complete();
        queue.Add(Started(5));
        Assert.Equal(Started(4), await queue.NextAsync(default).Soon());
        Assert.Null(await queue.NextAsync(default).Soon());
    }

    [Fact]
    public async Task What_a_Hello_has_told_is_not_told_again()
    {
        var queue = new ReportQueue();
        queue.Open();
        foreach (var report in (HostMessage[])[Started(1), Reset(2), Started(2), Reset(3), Started(3)])
        {
            queue.Add(report);
        }

        queue.DropBefore(2);
        queue.Complete();
        foreach (var report in (HostMessage?[])[Started(2), Reset(3), Started(3), null])
        {
            Assert.Equal(report, await queue.NextAsync(default).Soon());
        }
    }

    [Fact]
    public async Task Nothing_is_kept_while_nobody_is_there()
    {
        var queue = new ReportQueue();
        Assert.True(queue.Add(Started(1)));
        queue.Open();
        var waiting = queue.NextAsync(default);
        queue.Close();
        Assert.Null(await waiting.Soon());
        Assert.True(queue.Add(Started(2)));
        queue.Open();
        queue.Complete();
        Assert.Null(await queue.NextAsync(default).Soon());
    }

    [Fact]
    public async Task Exits_that_fell_back_are_told_on_each_connection_of_their_boot()
    {
        var queue = new ReportQueue();
        queue.Open();
        queue.Add(FellBack(1));
        Assert.Equal(FellBack(1), await queue.NextAsync(default).Soon());
        queue.Close();
        queue.Add(Started(1));
        queue.Add(FellBack(2));
        queue.Open();
        queue.Add(Started(2));
        foreach (var report in (HostMessage[])[FellBack(1), FellBack(2), Started(2)])
        {
            Assert.Equal(report, await queue.NextAsync(default).Soon());
        }

        queue.Add(Reset(2));
        for (ulong exit = 3; exit < 4 + ReportQueue.MostFallenBack; exit++)
        {
            queue.Add(FellBack(exit));
        }

        queue.Close();
        queue.Open();
        for (ulong exit = 4; exit < 4 + ReportQueue.MostFallenBack; exit++)
        {
            Assert.Equal(FellBack(exit), await queue.NextAsync(default).Soon());
        }

        queue.Complete();
        Assert.Null(await queue.NextAsync(default).Soon());
    }

    [Fact]
    public void A_daemon_that_does_not_read_is_noticed()
    {
        var queue = new ReportQueue();
        queue.Open();
        for (var i = 0; i < ReportQueue.Most; i++)
        {
            Assert.True(queue.Add(Started(1)));
        }

        Assert.False(queue.Add(Started(1)));
    }

    private static HostMessage Started(ulong core) => new() { CoreState = new() { Core = core, Change = CoreChange.Started } };

    private static HostMessage FellBack(ulong exit) => new() { FellBack = new() { Core = 1, Boot = 1, ExitId = exit } };

    private static HostMessage Reset(ulong boot) => new() { Reset = new() { Boot = boot, Kind = ResetKind.Cold } };
}

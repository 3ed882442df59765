using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Library;

public sealed class ReportQueueTests
{
    [Fact]
    public async Task Tells_in_order_and_ends_when_it_is_complete()
    {
        var queue = new ReportQueue();
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
    public async Task Nothing_is_kept_once_nobody_is_there()
    {
        var queue = new ReportQueue();
        queue.Add(Started(1));
        queue.Close();
        queue.DropBefore(1);
        Assert.True(queue.Add(Started(2)));
        Assert.Null(await queue.NextAsync(default).Soon());
    }

    [Fact]
    public void A_daemon_that_does_not_read_is_noticed()
    {
        var queue = new ReportQueue();
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

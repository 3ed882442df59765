using Hypercalls.Daemon.Machines;

namespace Hypercalls.Tests.Daemon.Machines;

public sealed class TurnTests
{
    private static readonly TimeSpan s_never = TimeSpan.FromMinutes(5);

    [Fact]
    public void One_thread_has_it_at_a_time()
    {
        var turn = new Turn(s_never);
        var (inside, most, total) = (0, 0, 0);
        var threads = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                Assert.False(turn.Take());
                most = Math.Max(most, ++inside);
                total++;
                inside--;
                turn.Return();
            }
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => Assert.True(thread.Join(s_never)));
        Assert.Equal((1, 80_000), (most, total));
    }

    [Fact]
    public void It_is_taken_from_a_service_that_does_not_come_back_which_learns_it_when_it_does()
    {
        var turn = new Turn(TimeSpan.FromMilliseconds(50));
        using var back = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        Exception? learnt = null;
        var hung = new Thread(() =>
        {
            turn.Take();
            turn.EnterService();
            entered.Set();
            back.Wait();
            learnt = Record.Exception(turn.LeaveService);
            turn.Return();
        });
        hung.Start();
        entered.Wait();
        Assert.True(turn.Take());
        Assert.True(turn.IsMine);
        back.Set();
        Assert.True(hung.Join(s_never));
        Assert.IsType<DeposedException>(learnt);
        // Its return was none: this thread has the turn yet.
        Assert.True(turn.IsMine);
        turn.EnterService();
        turn.LeaveService();
        turn.Return();
        Assert.False(turn.IsMine);
    }

    [Fact]
    public void It_is_not_taken_from_a_holder_that_runs_no_service()
    {
        var turn = new Turn(TimeSpan.FromMilliseconds(10));
        turn.Take();
        Assert.False(Elsewhere(() => turn.TryTake(TimeSpan.FromMilliseconds(200), mayDepose: true, out _))());
        Assert.True(turn.IsMine);
        turn.Return();
    }

    [Fact]
    public void Those_who_only_look_take_it_from_nobody()
    {
        var turn = new Turn(TimeSpan.FromMilliseconds(10));
        turn.Take();
        turn.EnterService();
        Assert.False(Elsewhere(() => turn.TryTake(TimeSpan.FromMilliseconds(200), mayDepose: false, out _))());
        turn.LeaveService();
        turn.Return();
    }

    [Fact]
    public void Whoever_waits_gets_it_as_soon_as_it_is_returned()
    {
        var turn = new Turn(s_never);
        turn.Take();
        var waiting = Elsewhere(() =>
        {
            var wasOverdue = turn.Take();
            turn.Return();
            return wasOverdue;
        });
        turn.EnterService();
        turn.LeaveService();
        turn.Return();
        Assert.False(waiting());
    }

    /// <summary>A turn belongs to a thread: this is another one. The result waits for it.</summary>
    private static Func<T> Elsewhere<T>(Func<T> code)
    {
        T result = default!;
        var thread = new Thread(() => result = code());
        thread.Start();
        return () =>
        {
            Assert.True(thread.Join(s_never));
            return result;
        };
    }
}

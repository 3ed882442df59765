using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>A long function that runs for an exit, on a thread of its own. An exit that is sent again waits for the same run.</summary>
internal sealed class RunningWork : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _cancelled;
    private readonly TaskCompletionSource _overdue = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isOver;

    private RunningWork(in ExitHead head, UnfinishedCall unfinished, TimeProvider clock)
    {
        (ExitId, Boot) = (head.ExitId, head.Boot);
        _cancelled = new(Timeout.InfiniteTimeSpan, clock);
        var token = _cancelled.Token;
        token.UnsafeRegister(static overdue => ((TaskCompletionSource)overdue!).TrySetResult(), _overdue);
        var (call, served) = (unfinished.Call, unfinished.Served);
        Finished = Task.Factory.StartNew(() => ServiceSet.Run(call, served, token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _ = Finished.ContinueWith(static (_, work) => ((RunningWork)work!).Dispose(), this, TaskScheduler.Default);
    }

    /// <summary>Of the exit that it answers.</summary>
    public ulong ExitId { get; }

    /// <summary>Of that exit.</summary>
    public ulong Boot { get; }

    /// <summary>Never faulted: an exception of the service is part of what it finished with.</summary>
    public Task<FinishedWork> Finished { get; }

    public static RunningWork Start(in ExitHead head, UnfinishedCall unfinished, TimeProvider clock) => new(head, unfinished, clock);

    public bool IsOf(in ExitHead head) => ExitId == head.ExitId && Boot == head.Boot;

    /// <summary>Waits for the end. A run that has not ended by then is cancelled, unless somebody else waits for longer.</summary>
    /// <returns>Null where it was cancelled: it has no result then, whenever it ends.</returns>
    public async Task<FinishedWork?> EndsWithinAsync(TimeSpan left, CancellationToken cancelled)
    {
        lock (_lock)
        {
            if (!_isOver)
            {
                // Whole milliseconds: rounded down it would be cancelled before its time.
                _cancelled.CancelAfter(left > TimeSpan.Zero ? TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)) : TimeSpan.Zero);
            }
        }

        await Task.WhenAny(Finished, _overdue.Task).WaitAsync(cancelled);
        // The work may have heard of it, and ended, before this did.
        return _cancelled.IsCancellationRequested ? null : await Finished;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true;
            _cancelled.Dispose();
        }
    }
}

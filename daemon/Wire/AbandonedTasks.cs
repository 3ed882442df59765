namespace Hypercalls.Daemon.Wire;

/// <summary>Work that whoever asked for it may not wait for: a caller that hangs up, a deadline that passes.</summary>
internal static class AbandonedTasks
{
    /// <summary>The same task; where nobody awaits it to its end, its failure is nobody's to hear.</summary>
    public static T MayBeAbandoned<T>(this T task)
        where T : Task
    {
        task.ContinueWith(failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return task;
    }
}

namespace Hypercalls.Tests;

/// <summary>Waits for what is sure to come, and fails where it does not.</summary>
internal static class SoonExtensions
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    public static Task Soon(this Task task) => task.WaitAsync(s_patience);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(s_patience);
}

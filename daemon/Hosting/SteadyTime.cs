namespace Hypercalls.Daemon.Hosting;

/// <summary>The time of day when the daemon started, and from there on steady: nobody who sets the clock makes a guest's statistics jump.</summary>
internal sealed class SteadyTime : TimeProvider
{
    private readonly DateTimeOffset _start = System.GetUtcNow();
    private readonly long _began = System.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => _start + System.GetElapsedTime(_began);
}

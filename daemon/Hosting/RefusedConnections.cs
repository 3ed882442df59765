using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Hosting;

/// <summary>A line in the log for each connection that is refused, and a count of those that come too fast: strangers must not fill a disk.</summary>
internal sealed class RefusedConnections(ILogger<RefusedConnections> log, TimeProvider clock)
{
    private const int MostInARow = 20;

    private static readonly TimeSpan s_row = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long _began = clock.GetTimestamp();
    private int _count;

    /// <param name="peer">Its address, or what else is known of it.</param>
    /// <param name="reason">Without a full stop.</param>
    public void Report(string peer, string reason)
    {
        lock (_lock)
        {
            if (clock.GetElapsedTime(_began) > s_row)
            {
                if (_count > MostInARow)
                {
                    Log.RefusedMore(log, _count - MostInARow);
                }

                (_began, _count) = (clock.GetTimestamp(), 0);
            }

            if (++_count <= MostInARow)
            {
                Log.RefusedConnection(log, peer, reason);
            }
        }
    }
}

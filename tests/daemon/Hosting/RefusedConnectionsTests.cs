using System.Collections.Concurrent;
using Hypercalls.Daemon.Hosting;
using Hypercalls.Tests.Protos.Grpc;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Tests.Daemon.Hosting;

public sealed class RefusedConnectionsTests
{
    [Fact]
    public void A_flood_is_counted_and_not_listed()
    {
        var lines = new ConcurrentQueue<LogEntry>();
        using var logs = new LoggerFactory([new RecordingLoggerProvider(lines)]);
        var clock = new Clock();
        var refused = new RefusedConnections(logs.CreateLogger<RefusedConnections>(), clock);
        for (var i = 0; i < 1000; i++)
        {
            refused.Report("192.0.2.7:4711", "it has no certificate");
        }

        Assert.Equal(Enumerable.Repeat("Refused: 192.0.2.7:4711: it has no certificate", 20), lines.Select(line => line.Text));
        clock.Now += TimeSpan.FromSeconds(2).Ticks;
        refused.Report("192.0.2.8:4711", "it has no certificate");
        Assert.Equal(
            ["Refused: 980 more connections, too many to list", "Refused: 192.0.2.8:4711: it has no certificate"],
            lines.Skip(20).Select(line => line.Text));
        Assert.All(lines, line => Assert.Equal(LogLevel.Warning, line.Level));
    }

    private sealed class Clock : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}

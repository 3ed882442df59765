using System.Collections.Concurrent;
using System.Globalization;
using Hypercalls.Daemon.Hosting;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using Hypercalls.Tests.Protos.Grpc;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>What services write: with machine, core and function, and no more of it than a log can hold.</summary>
public sealed class ServiceLinesTests : IDisposable
{
    private readonly StoppedClock _clock = new();
    private readonly ConcurrentQueue<LogEntry> _logged = [];
    private readonly ILoggerFactory _loggers;

    public ServiceLinesTests() => _loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Information).AddProvider(new RecordingLoggerProvider(_logged)));

    public void Dispose() => _loggers.Dispose();

    [Fact]
    public void A_line_has_its_place_and_its_service_s_category()
    {
        var lines = new ServiceLines(_clock);
        var machine = new TestMachine(new Talker(lines.Log));
        machine.Call(0xC300_0000, 1);
        // What was written before there was a log is not lost.
        lines.Connect(_loggers);
        machine.Call(0xC300_0000, 1);
        Assert.Equal(
            [
                (LogLevel.Information, "Hypercalls.Services", "made"),
                (LogLevel.Warning, "Hypercalls.Services.TALKER", "test: core 0.0.0.0, TALK: said 0"),
                (LogLevel.Warning, "Hypercalls.Services.TALKER", "test: core 0.0.0.0, TALK: said 0"),
            ],
            _logged.Select(line => (line.Level, line.Category, line.Text)));
    }

    [Fact]
    public void A_guest_that_makes_a_service_write_is_not_heard_more_than_a_hundred_times_a_second()
    {
        var lines = new ServiceLines(_clock);
        lines.Connect(_loggers);
        var machine = new TestMachine(new Talker(lines.Log));
        _logged.Clear();
        machine.Call(0xC300_0000, 250);
        Assert.Equal(ServiceLines.MostASecond, _logged.Count);
        _clock.Seconds++;
        machine.Call(0xC300_0000, 2);
        Assert.Equal(
            ["150 lines of this service were dropped: more than 100 in a second are not kept", "test: core 0.0.0.0, TALK: said 0", "test: core 0.0.0.0, TALK: said 1"],
            _logged.Skip(ServiceLines.MostASecond).Select(line => line.Text));
    }

    private sealed class Talker : Service<TableState>
    {
        public Talker(IServiceLog log)
        {
            log.Information("made");
            Functions = new()
            {
                { 0xC300_0000, "TALK", (in call) =>
                    {
                        for (var n = 0ul; n < call[1]; n++)
                        {
                            log.Debug("neither shown nor counted by default");
                            log.Warning(string.Create(CultureInfo.InvariantCulture, $"said {n}"));
                        }

                        return Answer.Success;
                    }
                },
            };
        }

        public override string Name => "TALKER";

        public override string Version => "0";

        public override FunctionTable<TableState> Functions { get; }
    }

    private sealed class StoppedClock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}

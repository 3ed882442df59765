using Hypercalls.Sdk;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Hosting;

/// <summary>What services write for the operator, under the category Hypercalls.Services.NAME. A guest may make a service write as often as it calls: more than a few lines a second are counted, not kept.</summary>
internal sealed class ServiceLines(TimeProvider clock)
{
    /// <summary>Lines of one service that may come at once, and each second after.</summary>
    public const int MostASecond = 100;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Allowance> _allowances = [];
    private readonly Queue<ServiceLogEntry> _early = [];
    private ILoggerFactory? _loggers;

    /// <summary>For the constructors of services.</summary>
    public IServiceLog Log => new ServiceLog(Keep);

    /// <summary>From now on lines are logged; those that are there already are logged first.</summary>
    public void Connect(ILoggerFactory loggers)
    {
        lock (_lock)
        {
            _loggers = loggers;
            while (_early.TryDequeue(out var entry))
            {
                Write(entry, 0);
            }
        }
    }

    private void Keep(ServiceLogEntry entry)
    {
        lock (_lock)
        {
            if (_loggers is null)
            {
                // Of constructors alone: nobody is served yet.
                _early.Enqueue(entry);
                return;
            }

            if (!LogOf(entry).IsEnabled(Level(entry.Level)))
            {
                return;
            }

            if (!_allowances.TryGetValue(entry.Service, out var allowance))
            {
                _allowances[entry.Service] = allowance = new() { Since = clock.GetTimestamp() };
            }

            if (clock.GetElapsedTime(allowance.Since) >= TimeSpan.FromSeconds(1))
            {
                (allowance.Since, allowance.Used) = (clock.GetTimestamp(), 0);
            }

            if (allowance.Used == MostASecond)
            {
                allowance.Dropped++;
                return;
            }

            allowance.Used++;
            Write(entry, allowance.Dropped);
            allowance.Dropped = 0;
        }
    }

    private ILogger LogOf(ServiceLogEntry entry) => _loggers!.CreateLogger(entry.Service.Length > 0 ? $"Hypercalls.Services.{entry.Service}" : "Hypercalls.Services");

    private void Write(ServiceLogEntry entry, int dropped)
    {
        var log = LogOf(entry);
        if (dropped > 0)
        {
            Daemon.Log.ServiceLinesDropped(log, dropped, MostASecond);
        }

        if (Level(entry.Level) is var level && log.IsEnabled(level))
        {
            Daemon.Log.ServiceLine(log, level, entry.Machine.Length > 0 ? $"{entry.Machine}: {entry}" : $"{entry}");
        }
    }

    private static LogLevel Level(ServiceLogLevel level) => level switch
    {
        ServiceLogLevel.Debug => LogLevel.Debug,
        ServiceLogLevel.Warning => LogLevel.Warning,
        _ => LogLevel.Information,
    };

    private sealed class Allowance
    {
        public long Since { get; set; }

        public int Used { get; set; }

        public int Dropped { get; set; }
    }
}

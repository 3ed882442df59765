using Hypercalls.Sdk;

namespace Hypercalls.Testkit;

/// <summary>A log for the constructors of services: keeps what they write, with machine, core and function beside it.</summary>
public sealed class TestLog : IServiceLog
{
    private readonly Lock _lock = new();
    private readonly List<ServiceLogEntry> _entries = [];
    private readonly ServiceLog _log;

    /// <summary>Empty at first.</summary>
    public TestLog() => _log = new(Keep);

    /// <summary>What was written so far, the oldest first.</summary>
    public IReadOnlyList<ServiceLogEntry> Entries
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries];
            }
        }
    }

    /// <inheritdoc/>
    public void Debug(string text) => _log.Debug(text);

    /// <inheritdoc/>
    public void Information(string text) => _log.Information(text);

    /// <inheritdoc/>
    public void Warning(string text) => _log.Warning(text);

    private void Keep(ServiceLogEntry entry)
    {
        lock (_lock)
        {
            _entries.Add(entry);
        }
    }
}

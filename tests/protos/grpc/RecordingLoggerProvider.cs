using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>One line of a log.</summary>
internal sealed record LogEntry(string Category, LogLevel Level, string Text, Exception? Exception);

/// <summary>Keeps what is logged.</summary>
internal sealed class RecordingLoggerProvider(ConcurrentQueue<LogEntry> entries) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new RecordingLogger(categoryName, entries);

    public void Dispose()
    {
    }

    private sealed class RecordingLogger(string category, ConcurrentQueue<LogEntry> entries) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            entries.Enqueue(new LogEntry(category, logLevel, formatter(state, exception), exception));
    }
}

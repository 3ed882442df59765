using System.Diagnostics;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>A guest under `hypercalls run`: what it says on its console, line by line, and what it is told.</summary>
internal sealed class GuestTalk : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process _run;
    private readonly Task<string> _errors;
    private readonly Task _reading;
    private readonly List<string> _lines = [];
    private readonly SemaphoreSlim _said = new(0);
    private int _heard;

    public GuestTalk(Process run)
    {
        _run = run;
        _errors = run.StandardError.ReadToEndAsync();
        _reading = ReadAsync();
    }

    public int ExitCode => _run.ExitCode;

    public int ProcessId => _run.Id;

    public string Text => string.Join('\n', Lines);

    /// <summary>What the run wrote to its error stream; to be read once it is over.</summary>
    public string Errors => _errors.Result;

    public string Last => Lines is [.., var last] ? last : "";

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Waits for the next line that begins so.</summary>
    public async Task<string> HearsAsync(string beginning)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            lock (_lines)
            {
                while (_heard < _lines.Count)
                {
                    var line = _lines[_heard++];
                    if (line.StartsWith(beginning, StringComparison.Ordinal))
                    {
                        return line;
                    }
                }
            }

            Assert.False(_reading.IsCompleted, $"The guest ended before it said '{beginning}':\n{Text}\n{(_errors.IsCompleted ? _errors.Result : "")}");
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"The guest does not say '{beginning}':\n{Text}");
            await _said.WaitAsync(TimeSpan.FromSeconds(1));
        }
    }

    public async Task SayAsync(string line)
    {
        await _run.StandardInput.WriteAsync(line + "\n");
        await _run.StandardInput.FlushAsync();
    }

    /// <summary>Waits until the run is over.</summary>
    public async Task EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await _run.WaitForExitAsync(patience.Token);
        await _reading;
    }

    public void Kill() => _run.Kill();

    public void Dispose()
    {
        if (!_run.HasExited)
        {
            _run.Kill(entireProcessTree: true);
        }

        _run.Dispose();
        _said.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _run.StandardOutput.ReadLineAsync() is { } line)
        {
            lock (_lines)
            {
                _lines.Add(line.TrimEnd());
            }

            _said.Release();
        }
    }
}

using System.Diagnostics;
using Hypercalls.Cli.Output;
using Hypercalls.Grpc;

namespace Hypercalls.Cli.Running;

/// <summary>A daemon for one run, where none listens: started as a process of its own and ended with the run.</summary>
internal sealed class PrivateDaemon : IAsyncDisposable
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(10);
    private const int LinesKept = 100;
    private const int MostReports = 20;

    /// <summary>The category of their lines.</summary>
    private const string OfServices = ": Hypercalls.Services";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly Process _process;
    private readonly string _folder;
    private readonly Queue<string> _said = [];
    private readonly Action<string> _report;
    private int _reported;

    private PrivateDaemon(Process process, string folder, Action<string> report)
    {
        _process = process;
        _report = report;
        _folder = folder;
        Address = GrpcAddress.Unix(SocketIn(folder));
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginErrorReadLine();
    }

    public GrpcAddress Address { get; }

    public int ProcessId => _process.Id;

    /// <summary>Starts one and waits until it answers.</summary>
    /// <exception cref="CliException">It does not start, with what it said.</exception>
    public static async Task<PrivateDaemon> StartAsync(string? plugins, IReadOnlyList<string> settings, Action<string> report, CancellationToken cancelled)
    {
        var folder = Directory.CreateTempSubdirectory("hypercalls-").FullName;
        var start = DaemonProgram.Start(["--socket", SocketIn(folder), "--stop-with-input", .. plugins is null ? Array.Empty<string>() : ["--plugins", plugins], .. settings]);
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        // It prints nothing there; a child that shares no terminal leaves the terminal alone.
        start.RedirectStandardOutput = true;
        var daemon = new PrivateDaemon(Process.Start(start) ?? throw new CliException("The daemon could not be started."), folder, report);
        try
        {
            await daemon.AnswersAsync(cancelled);
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>What it has said so far: reports of failed services among it.</summary>
    public string Said()
    {
        lock (_said)
        {
            return string.Join('\n', _said);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Signals.Terminate(_process);
        using var patience = new CancellationTokenSource(StopsWithin);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static string SocketIn(string folder) => Path.Combine(folder, "daemon.sock");

    private async Task AnswersAsync(CancellationToken cancelled)
    {
        var started = Stopwatch.GetTimestamp();
        while (!DaemonAddress.IsAnswering(Address))
        {
            if (_process.HasExited)
            {
                // All that it said has been read then.
                await _process.WaitForExitAsync(cancelled);
                throw new CliException(Said() is { Length: > 0 } said ? said : $"The daemon ended with code {_process.ExitCode} before it answered.");
            }

            if (Stopwatch.GetElapsedTime(started) > StartsWithin)
            {
                throw new CliException($"The daemon does not answer within {StartsWithin.TotalSeconds} s. {Said()}".TrimEnd());
            }

            await Task.Delay(Look, cancelled);
        }
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_said)
        {
            _said.Enqueue(line);
            if (_said.Count > LinesKept)
            {
                _said.Dequeue();
            }
        }

        // Reports of failed services, and what services say themselves, are for whoever runs the guest; the rest of the log is not.
        if ((line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(OfServices, StringComparison.Ordinal)) && Interlocked.Increment(ref _reported) <= MostReports)
        {
            // Behind the category stands what happened.
            var report = line.IndexOf("] ", StringComparison.Ordinal) is var end and >= 0 ? line[(end + 2)..] : line;
            _report(Printable.Line(report) + (_reported == MostReports ? " (no more of these are shown)" : ""));
        }
    }
}

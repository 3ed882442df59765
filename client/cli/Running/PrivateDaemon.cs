using System.Diagnostics;
using Hypercalls.Grpc;

namespace Hypercalls.Cli.Running;

/// <summary>A daemon for one run, where none listens: started as a process of its own and ended with the run.</summary>
internal sealed class PrivateDaemon : IAsyncDisposable
{
    private static readonly TimeSpan StartsWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly Process _process;
    private readonly string _folder;
    private readonly List<string> _said = [];

    private PrivateDaemon(Process process, string folder)
    {
        _process = process;
        _folder = folder;
        Address = GrpcAddress.Unix(SocketIn(folder));
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginErrorReadLine();
    }

    public GrpcAddress Address { get; }

    public int ProcessId => _process.Id;

    /// <summary>Starts one and waits until it answers.</summary>
    /// <exception cref="CliException">It does not start, with what it said.</exception>
    public static async Task<PrivateDaemon> StartAsync(string? plugins, CancellationToken cancelled)
    {
        var folder = Directory.CreateTempSubdirectory("hypercalls-").FullName;
        var start = DaemonProgram.Start(["--socket", SocketIn(folder), .. plugins is null ? Array.Empty<string>() : ["--plugins", plugins]]);
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        var daemon = new PrivateDaemon(Process.Start(start) ?? throw new CliException("The daemon could not be started."), folder);
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
            if (_process.HasExited || Stopwatch.GetElapsedTime(started) > StartsWithin)
            {
                await _process.WaitForExitAsync(cancelled);
                throw new CliException($"The daemon does not start: {Said()}");
            }

            await Task.Delay(Look, cancelled);
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (_said)
            {
                _said.Add(line);
            }
        }
    }
}

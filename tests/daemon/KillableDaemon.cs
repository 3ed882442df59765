using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Hypercalls.Tests.Daemon;

/// <summary>A daemon in a process of its own, on a socket that the next one takes over: to be killed (−9) from outside, or at a place in the life of a call.</summary>
internal sealed class KillableDaemon : IDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = [];

    private KillableDaemon(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => _lines.Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    /// <summary>What it has printed.</summary>
    public string Log => string.Join('\n', _lines);

    /// <summary>The same, line by line.</summary>
    public IReadOnlyList<string> Lines => [.. _lines];

    /// <summary>Its memory, in bytes.</summary>
    public long WorkingSet
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts one.</summary>
    /// <param name="socket">Where it listens.</param>
    /// <param name="plugins">Its plugin folder.</param>
    /// <param name="fault">AfterCommit:17 kills it at its 17th commit; empty for none.</param>
    /// <param name="hostDeadline">In milliseconds; the daemon's own is the half.</param>
    /// <param name="keepLost">How long machines whose host is gone are kept, in seconds.</param>
    public static KillableDaemon Start(string socket, string plugins, string fault = "", int hostDeadline = 2000, int keepLost = 60)
    {
        var start = new ProcessStartInfo(
            Path.Combine(TestDaemon.Artifacts, "bin", "Hypercalls.FaultyDaemon", "release", "hypercalls-faulty-daemon"), ["--socket", socket, "--plugins", plugins])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HYPERCALLS_FAULT"] = fault;
        start.Environment["HYPERCALLS_HostDeadlineMs"] = hostDeadline.ToString(CultureInfo.InvariantCulture);
        start.Environment["HYPERCALLS_KeepLostSeconds"] = keepLost.ToString(CultureInfo.InvariantCulture);
        start.Environment["HYPERCALLS_DeadlineMs"] = (hostDeadline / 2).ToString(CultureInfo.InvariantCulture);
        return new(Process.Start(start)!);
    }

    /// <summary>Waits until it listens.</summary>
    public static async Task<KillableDaemon> ListeningAsync(string socket, string plugins, string fault = "", int hostDeadline = 2000, int keepLost = 60)
    {
        var daemon = Start(socket, plugins, fault, hostDeadline, keepLost);
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        while (!client.Connected)
        {
            Assert.False(daemon.HasExited, daemon.Log);
            try
            {
                await client.ConnectAsync(new UnixDomainSocketEndPoint(socket));
            }
            catch (SocketException)
            {
                await Task.Delay(10);
            }
        }

        return daemon;
    }

    public Task ExitAsync() => _process.WaitForExitAsync().Soon();

    /// <summary>As kill −9, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await ExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}

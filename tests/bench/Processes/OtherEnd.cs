using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Hypercalls.Bench.Processes;

/// <summary>The process that answers: started for a measurement, and ended with it.</summary>
internal abstract partial class OtherEnd : IDisposable
{
    private static readonly TimeSpan s_startsWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_stopsWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);

    private readonly Process _process;
    private readonly string _folder;
    private readonly Queue<string> _said = [];

    /// <param name="start">Ends with its standard input.</param>
    /// <param name="folder">Its own, deleted with it.</param>
    protected OtherEnd(ProcessStartInfo start, string folder)
    {
        _folder = folder;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        _process = Process.Start(start) ?? throw new BenchException($"{start.FileName} could not be started.");
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public int Id => _process.Id;

    /// <summary>User and system time so far.</summary>
    public double CpuSeconds()
    {
        if (_process.HasExited)
        {
            throw new BenchException($"The process that answers has ended: {Said()}");
        }

        _process.Refresh();
        return _process.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>Memory that it has for itself, and its part of what it shares, in bytes (proc(5), smaps_rollup, Pss).</summary>
    public long ResidentBytes()
    {
        var rollup = File.ReadAllText($"/proc/{Id}/smaps_rollup");
        return long.Parse(Pss().Match(rollup).Groups[1].ValueSpan, CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>Bytes allocated since it was started.</summary>
    public virtual long Allocated() => throw new BenchException("This process does not say what it allocates.");

    public virtual void Dispose()
    {
        // The end of its input is its end.
        _process.StandardInput.Close();
        if (!_process.WaitForExit(s_stopsWithin))
        {
            _process.Kill();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    protected static string NewFolder() => Directory.CreateTempSubdirectory("hypercalls-bench-").FullName;

    /// <summary>A port of the loopback that nobody listens at.</summary>
    protected static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Waits until it listens.</summary>
    protected void AwaitListening(EndPoint address)
    {
        var began = Stopwatch.GetTimestamp();
        while (!Listens(address))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(began) > s_startsWithin)
            {
                var said = Said();
                Dispose();
                throw new BenchException($"A process did not get ready: {said}");
            }

            Thread.Sleep(s_look);
        }
    }

    private static bool Listens(EndPoint address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private string Said()
    {
        lock (_said)
        {
            return string.Join(' ', _said);
        }
    }

    private void Keep(string? line)
    {
        const int most = 20;
        if (line is null)
        {
            return;
        }

        lock (_said)
        {
            _said.Enqueue(line);
            if (_said.Count > most)
            {
                _said.Dequeue();
            }
        }
    }

    [GeneratedRegex(@"^Pss:\s+(\d+) kB", RegexOptions.Multiline)]
    private static partial Regex Pss();
}

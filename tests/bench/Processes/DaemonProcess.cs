using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Hypercalls.Grpc;

namespace Hypercalls.Bench.Processes;

/// <summary>The daemon as it is shipped, with the plugins of the build, in a folder of its own.</summary>
internal sealed class DaemonProcess : OtherEnd
{
    private readonly Probe? _probe;

    private DaemonProcess(ProcessStartInfo start, string folder, GrpcAddress address, bool isProbed)
        : base(start, folder)
    {
        Address = address;
        AwaitListening(new UnixDomainSocketEndPoint(SocketIn(folder)));
        if (address.SocketPath is null)
        {
            AwaitListening(new IPEndPoint(IPAddress.Parse(address.Host), address.Port));
        }

        _probe = isProbed ? new(ProbeIn(folder)) : null;
    }

    public GrpcAddress Address { get; }

    /// <summary>One with its local socket.</summary>
    /// <param name="isProbed">It is asked about its managed memory. For that a thread of the bench waits in it.</param>
    /// <param name="settings">Further arguments.</param>
    public static DaemonProcess Start(bool isProbed = false, params IEnumerable<string> settings)
    {
        var folder = NewFolder();
        var start = Built.StartDaemon(["--socket", SocketIn(folder), "--plugins", Built.Plugins, "--stop-with-input", .. settings]);
        if (isProbed)
        {
            start.Environment["DOTNET_STARTUP_HOOKS"] = Built.Bench;
            start.Environment[Probe.PathVariable] = ProbeIn(folder);
        }

        return new(start, folder, GrpcAddress.Unix(SocketIn(folder)), isProbed);
    }

    /// <summary>One that listens on this machine's loopback.</summary>
    /// <param name="certificates">The folder for --tls; null for clear text.</param>
    public static DaemonProcess StartTcp(string? certificates = null)
    {
        var (folder, port) = (NewFolder(), FreePort());
        string[] tls = certificates is null ? [] : ["--tls", certificates];
        var start = Built.StartDaemon(["--socket", SocketIn(folder), "--plugins", Built.Plugins, "--stop-with-input", "--listen", $"127.0.0.1:{port}", .. tls]);
        return new(start, folder, GrpcAddress.Parse($"{(certificates is null ? "http" : "https")}://127.0.0.1:{port}"), isProbed: false);
    }

    public override long Allocated() => _probe?.Allocated() ?? base.Allocated();

    public long HeapBytes() => _probe?.HeapBytes() ?? throw new BenchException("This daemon is not probed.");

    public override void Dispose()
    {
        _probe?.Dispose();
        base.Dispose();
    }

    private static string SocketIn(string folder) => Path.Combine(folder, "daemon.sock");

    private static string ProbeIn(string folder) => Path.Combine(folder, "probe.sock");
}

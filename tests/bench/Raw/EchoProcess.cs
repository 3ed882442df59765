using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Hypercalls.Bench.Processes;

namespace Hypercalls.Bench.Raw;

/// <summary>The echo server in a process of its own, as the daemon is.</summary>
internal sealed class EchoProcess : OtherEnd
{
    private EchoProcess(EndPoint address, string text, string folder, MessageSizes sizes, bool isAsync)
        : base(Built.StartBench(
            "echo", text, sizes.Request.ToString(CultureInfo.InvariantCulture), sizes.Reply.ToString(CultureInfo.InvariantCulture), isAsync ? "async" : "blocking"), folder)
    {
        Address = address;
        AwaitListening(address);
    }

    public EndPoint Address { get; }

    public static EchoProcess Start(MessageSizes sizes, bool isTcp, bool isAsync)
    {
        var folder = NewFolder();
        var text = isTcp ? $"127.0.0.1:{FreePort()}" : Path.Combine(folder, "echo.sock");
        return new(AddressOf(text), text, folder, sizes, isAsync);
    }

    /// <summary>A socket's path, or an IP address with a port.</summary>
    public static EndPoint AddressOf(string text) => IPEndPoint.TryParse(text, out var tcp) ? tcp : new UnixDomainSocketEndPoint(text);
}

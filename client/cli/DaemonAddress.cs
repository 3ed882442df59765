using System.CommandLine;
using System.Net.Sockets;
using Hypercalls.Grpc;
using Hypercalls.Protos;

namespace Hypercalls.Cli;

/// <summary>Where the daemon is: --daemon, else HYPERCALLS_DAEMON, else the user's local socket.</summary>
internal static class DaemonAddress
{
    public static Option<string?> Option() => new("--daemon")
    {
        Description = "The daemon: a socket path or http://host:port. By default $HYPERCALLS_DAEMON, else the local socket.",
        HelpName = "address",
    };

    public static GrpcAddress Of(string? given)
    {
        var text = given ?? Environment.GetEnvironmentVariable("HYPERCALLS_DAEMON") ?? LocalSocket.DefaultPath;
        return GrpcAddress.TryParse(text.StartsWith("http", StringComparison.Ordinal) || text.StartsWith("unix:", StringComparison.Ordinal) ? text : Path.GetFullPath(text), out var address, out var error)
            ? address
            : throw new CliException(error, ExitCode.BadInput);
    }

    /// <summary>A channel to a daemon that answers.</summary>
    public static HttpChannel Connect(string? given)
    {
        var address = Of(given);
        return IsAnswering(address)
            ? HttpChannel.ForAddress(address)
            : throw new CliException($"No daemon answers at {address}. Start one with `hypercalls daemon`.", ExitCode.NoDaemon);
    }

    /// <summary>Whether somebody listens there.</summary>
    /// <exception cref="CliException">The folder of the local socket is not this user's alone: whoever made it could answer.</exception>
    public static bool IsAnswering(GrpcAddress address)
    {
        if (address.SocketPath == LocalSocket.DefaultPath && Directory.Exists(LocalSocket.Folder) && LocalSocket.FolderFault(LocalSocket.Folder) is { } fault)
        {
            throw new CliException(fault);
        }

        try
        {
            using var socket = address.SocketPath is { } path
                ? Connected(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), probe => probe.Connect(new UnixDomainSocketEndPoint(path)))
                : Connected(new Socket(SocketType.Stream, ProtocolType.Tcp), probe => probe.Connect(address.Host, address.Port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static Socket Connected(Socket socket, Action<Socket> connect)
    {
        try
        {
            connect(socket);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

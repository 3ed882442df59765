using System.Net;
using System.Net.Sockets;
using Hypercalls.Protos;

namespace Hypercalls.Daemon.Hosting;

/// <summary>Where the daemon listens, checked before anything starts.</summary>
internal static class ListenAddress
{
    private const int LongestPath = 107;

    /// <summary>The path of the local socket, free to be bound.</summary>
    /// <exception cref="ConfigurationException">The folder is not the user's own, the path is too long, or a daemon listens there.</exception>
    public static string Socket(string? configured)
    {
        var path = Path.GetFullPath(configured ?? LocalSocket.DefaultPath);
        if (System.Text.Encoding.UTF8.GetByteCount(path) > LongestPath)
        {
            throw new ConfigurationException($"The socket path {path} is longer than {LongestPath} bytes. Choose a shorter one with --socket.");
        }

        try
        {
            if (configured is null)
            {
                LocalSocket.EnsureFolder();
            }
            else if (Path.GetDirectoryName(path) is { } folder && !Directory.Exists(folder))
            {
                throw new ConfigurationException($"The folder of the socket {path} does not exist. Make it, or choose another with --socket.");
            }

            if (Path.Exists(path))
            {
                RemoveStale(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(e.Message, e);
        }

        return path;
    }

    /// <summary>The TCP address.</summary>
    /// <exception cref="ConfigurationException">It is none, or others could reach it and nothing says who they are.</exception>
    public static IPEndPoint Tcp(string configured, bool isSecure)
    {
        if (!IPEndPoint.TryParse(configured, out var address) || address.Port == 0 && !configured.EndsWith(":0", StringComparison.Ordinal))
        {
            throw new ConfigurationException($"--listen {configured} is no address with a port, such as 127.0.0.1:7433.");
        }

        return isSecure || IPAddress.IsLoopback(address.Address)
            ? address
            : throw new ConfigurationException(
                $"--listen {configured} would be reachable from other machines, which needs mutual TLS: make certificates with `hypercalls cert ca` and `hypercalls cert daemon NAME`, and give their folder with --tls. Or use 127.0.0.1:{address.Port}.");
    }

    private static void RemoveStale(string path)
    {
        if (!LocalSocket.IsSocket(path))
        {
            throw new ConfigurationException($"{path} is in the way and is no socket. Remove it, or choose another with --socket.");
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            // Nobody listens: the daemon that made it is gone.
            File.Delete(path);
            return;
        }
        catch (SocketException e)
        {
            throw new ConfigurationException($"{path} is in the way and cannot be reached ({e.Message}). Remove it, or choose another with --socket.", e);
        }

        throw new ConfigurationException($"A daemon already listens on {path}. Stop it, or choose another socket with --socket.");
    }
}

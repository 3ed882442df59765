using System.Buffers.Binary;
using System.Net.Sockets;

namespace Hypercalls.Grpc;

/// <summary>Notices that the other machine of a TCP connection is gone without a word: by kernel (tcp(7), TCP_KEEPIDLE, TCP_USER_TIMEOUT), so that a process that is merely stopped keeps its connection.</summary>
public static class TcpLiveness
{
    /// <summary>After this long without a sign of life the connection is lost, whether or not something was to be sent.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private const int IdleSeconds = 20;
    private const int BetweenSeconds = 5;
    private const int Probes = 4;
    private const int TcpLevel = 6; // IPPROTO_TCP
    private const int UserTimeout = 18; // TCP_USER_TIMEOUT

    /// <summary>Watches over a TCP socket.</summary>
    /// <param name="socket">Connected or not.</param>
    public static void Watch(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, BetweenSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        if (OperatingSystem.IsLinux())
        {
            // Keep-alive is silent while something waits to be acknowledged.
            Span<byte> milliseconds = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(milliseconds, (int)Patience.TotalMilliseconds);
            socket.SetRawSocketOption(TcpLevel, UserTimeout, milliseconds);
        }
    }
}

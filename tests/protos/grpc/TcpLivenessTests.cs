using System.Net.Sockets;
using Hypercalls.Grpc;

namespace Hypercalls.Tests.Protos.Grpc;

public class TcpLivenessTests
{
    [Fact]
    public void A_machine_that_is_gone_is_noticed_within_the_patience()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        TcpLiveness.Watch(socket);
        int Option(SocketOptionName name) => (int)socket.GetSocketOption(SocketOptionLevel.Tcp, name)!;
        var idle = Option(SocketOptionName.TcpKeepAliveTime) + (Option(SocketOptionName.TcpKeepAliveInterval) * Option(SocketOptionName.TcpKeepAliveRetryCount));
        Assert.NotEqual(0, (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
        Assert.Equal(TcpLiveness.Patience.TotalSeconds, idle);
        Span<byte> timeout = stackalloc byte[sizeof(int)];
        socket.GetRawSocketOption(6, 18, timeout); // TCP_USER_TIMEOUT
        Assert.Equal(TcpLiveness.Patience.TotalMilliseconds, BitConverter.ToInt32(timeout));
    }
}

using System.Net;
using System.Net.Sockets;

namespace Hypercalls.Bench.Raw;

/// <summary>What both ends of the raw ping-pong share.</summary>
internal static class RawSocket
{
    public static Socket Create(EndPoint address) =>
        new(address.AddressFamily, SocketType.Stream, address.AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp);

    public static void NoDelay(Socket socket)
    {
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            socket.NoDelay = true;
        }
    }

    /// <summary>Fills the buffer; false where the other end has hung up.</summary>
    public static bool TryReceive(Socket socket, byte[] buffer)
    {
        for (var have = 0; have < buffer.Length;)
        {
            // A caller that was killed resets its connection.
            var read = socket.Receive(buffer, have, buffer.Length - have, SocketFlags.None, out var error);
            if (read == 0 || error != SocketError.Success)
            {
                return false;
            }

            have += read;
        }

        return true;
    }

    /// <inheritdoc cref="TryReceive"/>
    public static async ValueTask<bool> TryReceiveAsync(Socket socket, byte[] buffer)
    {
        for (var have = 0; have < buffer.Length;)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(have)).ConfigureAwait(false);
            if (read == 0)
            {
                return false;
            }

            have += read;
        }

        return true;
    }
}

/// <summary>The bytes of a message in each direction.</summary>
internal readonly record struct MessageSizes(int Request, int Reply);

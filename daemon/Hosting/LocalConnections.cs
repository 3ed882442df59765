using System.Buffers.Binary;
using System.Net.Sockets;
using Hypercalls.Daemon.Machines;
using Hypercalls.Protos;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Hypercalls.Daemon.Hosting;

/// <summary>Connections of the local socket: from the daemon's own user and from root alone, whatever the modes of file and folder say.</summary>
internal sealed class LocalConnections(RefusedConnections refused)
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentials = 17; // SO_PEERCRED
    private const uint Root = 0;

    public ConnectionDelegate Check(ConnectionDelegate next) => connection =>
    {
        var user = UserOf(connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket);
        if (!IsLetIn(user, LocalSocket.User))
        {
            refused.Report($"user {user}", $"the local socket is for user {LocalSocket.User} and root");
            connection.Abort();
            return Task.CompletedTask;
        }

        connection.Features.Set<Peer>(new Peer.User(user));
        return next(connection);
    };

    /// <summary>The user who has connected.</summary>
    public static uint UserOf(Socket socket)
    {
        // struct ucred: pid, uid, gid (unix(7)).
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials);
        return BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..]);
    }

    private static bool IsLetIn(uint user, uint own) => user == own || user == Root;
}

using System.Net;
using System.Security.Cryptography.X509Certificates;
using Hypercalls.Daemon.Machines;
using Hypercalls.Daemon.Wire;
using Hypercalls.Grpc;
using Hypercalls.Protos.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Hypercalls.Daemon.Hosting;

/// <summary>Connections over TCP: in clear text from this machine, or with TLS from whoever holds a certificate that says who that is.</summary>
internal sealed class RemoteConnections(RefusedConnections refused)
{
    private static readonly TimeSpan s_handshakeWithin = TimeSpan.FromSeconds(10);

    private int _open;

    /// <summary>Any process of this machine.</summary>
    public void Plain(ListenOptions listen) => listen.Use(next => connection => CountedAsync(connection, () =>
    {
        connection.Features.Set<Peer>(new Peer.Loopback());
        return next(connection);
    }));

    /// <summary>Holders of a certificate.</summary>
    public void Secure(ListenOptions listen, CertificateFolder certificates)
    {
        listen.Use(next => connection => CountedAsync(connection, async () =>
        {
            try
            {
                await next(connection);
            }
            finally
            {
                if (connection.Features.Get<Handshake>() is { IsJudged: false })
                {
                    refused.Report(Name(connection), "the TLS handshake did not come to its end: the client has no TLS 1.3, does not trust this daemon's certificate, or was too slow");
                }
            }
        }));
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = s_handshakeWithin,
            OnConnection = context =>
            {
                var handshake = new Handshake();
                context.Connection.Features.Set(handshake);
                return ValueTask.FromResult(certificates.Current.ForServer((certificate, fault) =>
                {
                    var isLetIn = Judge(context.Connection, certificate, fault);
                    handshake.IsJudged = true;
                    return isLetIn;
                }));
            },
        });
    }

    private bool Judge(BaseConnectionContext connection, X509Certificate2? certificate, string? fault)
    {
        Party? party = null;
        var known = certificate is not null && Party.TryOf(certificate, out party);
        var reason = certificate is null ? "it has no certificate"
            : fault is not null ? $"its certificate{(known ? $", which names {party}," : "")} {fault}"
            : !known ? "its certificate does not say who it is: the subject needs OU=host or OU=operator, and a name as CN"
            : party!.Role == Role.Daemon ? $"its certificate is that of {party}, and no client's"
            : null;
        if (reason is not null)
        {
            refused.Report(Name(connection), reason);
            return false;
        }

        connection.Features.Set<Peer>(new Peer.Remote(party!));
        return true;
    }

    private async Task CountedAsync(ConnectionContext connection, Func<Task> serve)
    {
        try
        {
            if (Interlocked.Increment(ref _open) <= Limits.Connections)
            {
                TcpLiveness.Watch(connection.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket);
                await serve();
            }
            else
            {
                refused.Report(Name(connection), $"{Limits.Connections} connections are open");
                connection.Abort();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private static string Name(BaseConnectionContext connection) => connection.RemoteEndPoint is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped
        ? new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port).ToString()
        : connection.RemoteEndPoint?.ToString() ?? "an unknown address";

    private sealed class Handshake
    {
        /// <summary>Whether it came as far as the client's certificate.</summary>
        public volatile bool IsJudged;
    }
}

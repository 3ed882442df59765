using System.Net.Sockets;
using Hypercalls.Daemon.Wire;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>How much a stranger can take of the daemon.</summary>
public sealed class RemoteConnectionsTests : IAsyncLifetime
{
    private readonly TlsDaemon _tls = new();

    public Task InitializeAsync() => _tls.InitializeAsync();

    public Task DisposeAsync() => _tls.DisposeAsync();

    [Fact]
    public async Task Connections_that_say_nothing_are_cut_and_too_many_are_refused()
    {
        List<Socket> silent = [];
        try
        {
            for (var i = 0; i <= Limits.Connections; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                silent.Add(socket);
                await socket.ConnectAsync(_tls.Daemon.Tcp.Host, _tls.Daemon.Tcp.Port);
            }

            Assert.Matches(@"^Refused: 127\.0\.0\.1:\d+: 1024 connections are open$", await _tls.Daemon.SaysAsync("connections are open"));
            // The local socket is nobody's but its user's.
            await _tls.Daemon.Operator.ListMachinesAsync(new());
            foreach (var socket in silent)
            {
                await EndedAsync(socket).Soon();
            }
        }
        finally
        {
            silent.ForEach(socket => socket.Dispose());
        }

        var reply = await new global::Hypercalls.Protos.Operator.OperatorClient(_tls.Client(TlsDaemon.Host("after"))).ListServicesAsync(new());
        Assert.NotEmpty(reply.Services);
    }

    private static async Task EndedAsync(Socket socket)
    {
        try
        {
            Assert.Equal(0, await socket.ReceiveAsync(new byte[1]));
        }
        catch (SocketException e)
        {
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }
    }
}

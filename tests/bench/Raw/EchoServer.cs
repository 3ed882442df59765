using System.Net;
using System.Net.Sockets;

namespace Hypercalls.Bench.Raw;

/// <summary>What answers without gRPC: so many bytes in, so many bytes out, a thread or an asynchronous loop per connection. The bench runs itself as this.</summary>
internal static class EchoServer
{
    /// <summary>Serves until its input ends.</summary>
    public static void Run(EndPoint address, MessageSizes sizes, bool isAsync)
    {
        using var listener = RawSocket.Create(address);
        listener.Bind(address);
        listener.Listen(128);
        new Thread(() => Accept(listener, sizes, isAsync)) { IsBackground = true }.Start();
        Console.In.ReadToEnd();
    }

    private static void Accept(Socket listener, MessageSizes sizes, bool isAsync)
    {
        while (true)
        {
            var connection = listener.Accept();
            RawSocket.NoDelay(connection);
            if (isAsync)
            {
                _ = AnswerAsync(connection, sizes);
            }
            else
            {
                new Thread(() => Answer(connection, sizes)) { IsBackground = true }.Start();
            }
        }
    }

    private static void Answer(Socket connection, MessageSizes sizes)
    {
        var (request, reply) = (new byte[sizes.Request], new byte[sizes.Reply]);
        using (connection)
        {
            while (RawSocket.TryReceive(connection, request))
            {
                connection.Send(reply, SocketFlags.None, out _);
            }
        }
    }

    private static async Task AnswerAsync(Socket connection, MessageSizes sizes)
    {
        var (request, reply) = (new byte[sizes.Request], new byte[sizes.Reply]);
        using (connection)
        {
            while (await RawSocket.TryReceiveAsync(connection, request))
            {
                await connection.SendAsync(reply);
            }
        }
    }
}

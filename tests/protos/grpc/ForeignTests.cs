using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Grpc;
using Hypercalls.Tests.Conformance;
using Conformer = Hypercalls.Tests.Conformance.Conformance.ConformanceClient;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>Both ends against Google's own library, by its Python stubs.</summary>
public sealed class ForeignTests : IDisposable
{
    private static readonly string[] s_protos = ["conformance.proto", "health.proto", "reflection.proto", "reflection_v1alpha.proto"];

    private readonly Python _python = new();

    [NeedsFact(Python.Interpreter, Python.Grpcio, Python.Protobuf, Python.Protoc, Python.Plugin)]
    public async Task Serves_a_foreign_client()
    {
        string[] expected =
        [
            "unary with metadata and deadline",
            "every status",
            "a status after messages",
            "deadline",
            "client streaming",
            "server streaming",
            "bidirectional, in turn",
            "cancellation",
            "limits",
            "compression refused",
            "unimplemented",
            "health",
            "reflection v1",
            "reflection v1alpha",
        ];
        await _python.MakeStubsAsync(s_protos);
        await using var server = await GrpcServer.StartAsync(new ConformanceService { OnEcho = EchoAsync });
        foreach (var target in new[] { "unix:" + server.Unix.SocketPath, $"{server.Tcp.Host}:{server.Tcp.Port}" })
        {
            using var python = _python.Start("foreign_client.py", target);
            Assert.Equal((0, string.Join('\n', expected)), await Python.EndAsync(python));
        }
    }

    [NeedsFact(Python.Interpreter, Python.Grpcio, Python.Protobuf, Python.Protoc, Python.Plugin)]
    public async Task Calls_a_foreign_server()
    {
        await _python.MakeStubsAsync(s_protos);
        var address = GrpcServer.AddressIn(_python.Stubs);
        using var python = _python.Start("foreign_server.py", address.ToString());
        Assert.Equal("serving", await python.StandardOutput.ReadLineAsync().Soon());
        using var channel = HttpChannel.ForAddress(address);
        await CallAsync(new Conformer(channel));
        python.StandardInput.Close();
        Assert.Equal((0, ""), await Python.EndAsync(python));
    }

    public void Dispose() => _python.Dispose();

    private static async Task CallAsync(Conformer client)
    {
        var deadline = DateTime.UtcNow.AddMinutes(1);
        var request = new Message { Number = 7, Text = "Größe", Data = ByteString.CopyFrom(0, 255) };
        using var echo = client.EchoAsync(request, [new("x-text", "a b"), new("x-data-bin", [0, 1, 255])], deadline);
        Assert.Equal("b", (await echo.ResponseHeadersAsync.Soon()).GetValue("x-before"));
        Assert.Equal(request, await echo.ResponseAsync.Soon());
        Assert.Equal(("a b", 3), (echo.GetTrailers().GetValue("x-text"), echo.GetTrailers().GetValueBytes("x-data-bin")!.Length));

        var expected = new Status(StatusCode.AlreadyExists, "100 % Größe");
        var failure = await Assert.ThrowsAsync<RpcException>(() => client.EchoAsync(new Message { Status = 6, Text = expected.Detail }).ResponseAsync.Soon());
        Assert.Equal(expected, failure.Status);
        failure = await Assert.ThrowsAsync<RpcException>(
            () => client.EchoAsync(new Message { Text = "hang" }, deadline: DateTime.UtcNow.AddMilliseconds(300)).ResponseAsync.Soon());
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);

        using var collect = client.Collect(deadline: deadline);
        for (var i = 1; i <= 100; i++)
        {
            await collect.RequestStream.WriteAsync(new Message { Number = i }).Soon();
        }

        await collect.RequestStream.CompleteAsync();
        Assert.Equal(5050, (await collect.ResponseAsync.Soon()).Number);

        using var repeat = client.Repeat(new Message { Number = 5 }, deadline: deadline);
        Assert.Equal(5, (await CallTests.AllAsync(repeat.ResponseStream)).Count);

        var large = new Message { Data = ByteString.CopyFrom(new byte[3 * 1024 * 1024]) };
        Assert.Equal(large, await client.EchoLargeAsync(large).ResponseAsync.Soon());

        await ChatAsync(client, expected);
    }

    // This server sends its headers with its first message, and resets what is left of the requests when it ends first.
    private static async Task ChatAsync(Conformer client, Status expected)
    {
        using var chat = client.Chat(deadline: DateTime.UtcNow.AddMinutes(2));
        for (var i = 0; i < 2000; i++)
        {
            await chat.RequestStream.WriteAsync(new Message { Number = i }).Soon();
            Assert.True(await chat.ResponseStream.MoveNext().Soon());
            Assert.Equal(i, chat.ResponseStream.Current.Number);
        }

        await chat.RequestStream.WriteAsync(new Message { Status = 6, Text = expected.Detail }).Soon();
        var failure = await Assert.ThrowsAsync<RpcException>(() => chat.ResponseStream.MoveNext().Soon());
        Assert.Equal(expected, failure.Status);
    }

    private static async Task<Message> EchoAsync(Message request, ServerCallContext context)
    {
        if (request.Status != 0)
        {
            throw new RpcException(new Status((StatusCode)request.Status, request.Text));
        }

        if (request.Text == "hang")
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }

        await context.WriteResponseHeadersAsync([new Metadata.Entry("x-before", "b")]);
        foreach (var entry in context.RequestHeaders.Where(entry => entry.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            context.ResponseTrailers.Add(entry);
        }

        return request;
    }
}

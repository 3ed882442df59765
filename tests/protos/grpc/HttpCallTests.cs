using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Grpc;
using Hypercalls.Tests.Conformance;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Conformer = Hypercalls.Tests.Conformance.Conformance.ConformanceClient;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>The client against servers that do what the one of this repository does not.</summary>
public class HttpCallTests
{
    private static readonly byte[] s_frame = Frame(new Message { Number = 5 });

    [Theory]
    [InlineData("0", "", StatusCode.Unimplemented)] // OK, but without the one response
    [InlineData("5", "gone%21", StatusCode.NotFound)]
    [InlineData("16", "", StatusCode.Unauthenticated)]
    [InlineData("17", "", StatusCode.Unknown)] // not defined
    [InlineData("-1", "", StatusCode.Unknown)]
    [InlineData("", "", StatusCode.Unknown)]
    [InlineData("99999999999999999999", "", StatusCode.Unknown)]
    public async Task Takes_a_status_alone_in_the_headers(string status, string message, StatusCode expected)
    {
        await using var server = await GrpcServer.StartAsync(context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.Headers["grpc-status"] = status;
            context.Response.Headers["grpc-message"] = message;
            context.Response.Headers["beside"] = "it";
            return Task.CompletedTask;
        });
        using var call = server.Client().EchoAsync(new Message());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Soon());
        Assert.Equal(expected, failure.StatusCode);
        Assert.Equal("it", failure.Trailers.GetValue("beside"));
        Assert.Equal(failure.Status, call.GetStatus());
        if (message.Length > 0)
        {
            Assert.Equal("gone!", failure.Status.Detail);
        }
    }

    [Theory] // gRPC, HTTP to gRPC Status Code Mapping
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(302, StatusCode.Unknown)]
    [InlineData(204, StatusCode.Unknown)]
    public async Task Makes_a_status_of_an_HTTP_status(int http, StatusCode expected)
    {
        await using var server = await GrpcServer.StartAsync(context =>
        {
            context.Response.StatusCode = http;
            return Task.CompletedTask;
        });
        var failure = await FailAsync(server.Client());
        Assert.Equal(new Status(expected, $"The server answered with HTTP status {http}."), failure.Status);
    }

    [Fact]
    public async Task Prefers_the_status_of_gRPC_to_that_of_HTTP()
    {
        await using var server = await GrpcServer.StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers["grpc-status"] = "7";
            return Task.CompletedTask;
        });
        Assert.Equal(StatusCode.PermissionDenied, (await FailAsync(server.Client())).StatusCode);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpcx")]
    [InlineData("application/grpc+json")]
    [InlineData(null)]
    public async Task Refuses_another_content_type(string? contentType)
    {
        await using var server = await GrpcServer.StartAsync(context => AnswerAsync(context, s_frame, contentType: contentType));
        var failure = await FailAsync(server.Client());
        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        Assert.Contains("content type", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("Application/GRPC; charset=utf-8")]
    public async Task Takes_every_content_type_of_gRPC(string contentType)
    {
        await using var server = await GrpcServer.StartAsync(context => AnswerAsync(context, s_frame, contentType: contentType));
        Assert.Equal(5, (await server.Client().EchoAsync(new Message()).ResponseAsync.Soon()).Number);
    }

    public static TheoryData<string, byte[], StatusCode> BadBodies => new()
    {
        // what                   body                                      status
        { "nothing",              [],                                       StatusCode.Unimplemented },
        { "two responses",        [.. s_frame, .. s_frame],                 StatusCode.Unimplemented },
        { "half a prefix",        [0, 0, 0],                                StatusCode.Internal },
        { "half a message",       s_frame[..^1],                            StatusCode.Internal },
        { "compressed",           [1, .. s_frame[1..]],                     StatusCode.Internal },
        { "flag of no meaning",   [2, .. s_frame[1..]],                     StatusCode.Internal },
        { "no message",           [0, 0, 0, 0, 2, 0xff, 0xff],              StatusCode.Internal },
        { "above the limit",      [0, 0, 0, 0x10, 1],                       StatusCode.ResourceExhausted },
        { "above 31 bits",        [0, 0xff, 0xff, 0xff, 0xff],              StatusCode.ResourceExhausted },
    };

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task Refuses_bytes_that_are_not_the_response(string what, byte[] body, StatusCode expected)
    {
        await using var server = await GrpcServer.StartAsync(context => AnswerAsync(context, body));
        using var call = server.Client(new HttpChannelOptions { MaxReceiveMessageSize = 4096 }).EchoAsync(new Message());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Soon());
        Assert.True(failure.StatusCode == expected, $"{what}: {failure.Status}");
        Assert.Equal(failure.Status, call.GetStatus());
    }

    [Fact]
    public async Task Says_when_no_status_came()
    {
        await using var server = await GrpcServer.StartAsync(context => AnswerAsync(context, s_frame, status: null));
        Assert.Equal(new Status(StatusCode.Unknown, "The server ended the call without a grpc-status."), (await FailAsync(server.Client())).Status);
    }

    [Theory] // gRPC over HTTP/2, Errors
    [InlineData(0x1, StatusCode.Internal)] // PROTOCOL_ERROR
    [InlineData(0x2, StatusCode.Internal)] // INTERNAL_ERROR
    [InlineData(0x3, StatusCode.Internal)] // FLOW_CONTROL_ERROR
    [InlineData(0x6, StatusCode.Internal)] // FRAME_SIZE_ERROR
    [InlineData(0x8, StatusCode.Cancelled)] // CANCEL
    [InlineData(0x9, StatusCode.Internal)] // COMPRESSION_ERROR
    [InlineData(0xa, StatusCode.Internal)] // CONNECT_ERROR
    [InlineData(0xb, StatusCode.ResourceExhausted)] // ENHANCE_YOUR_CALM
    [InlineData(0xc, StatusCode.PermissionDenied)] // INADEQUATE_SECURITY
    public async Task Makes_a_status_of_a_reset_before_and_after_the_headers(int code, StatusCode expected)
    {
        await using var server = await GrpcServer.StartAsync(async context =>
        {
            if (context.Request.Path == "/hypercalls.tests.Conformance/Repeat")
            {
                context.Response.ContentType = "application/grpc";
                await context.Response.Body.WriteAsync(s_frame);
                await context.Response.Body.FlushAsync();
            }

            context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(code);
        });
        Assert.Equal(expected, (await FailAsync(server.Client())).StatusCode);
        using var call = server.Client().Repeat(new Message());
        var failure = await Assert.ThrowsAsync<RpcException>(() => CallTests.AllAsync(call.ResponseStream));
        Assert.Equal(expected, failure.StatusCode);
    }

    [Fact]
    public async Task Is_unavailable_where_nobody_listens_and_when_the_connection_is_lost()
    {
        using var nobody = HttpChannel.ForAddress(GrpcAddress.Unix("/nonexistent/socket"));
        Assert.Equal(StatusCode.Unavailable, (await FailAsync(new Conformer(nobody))).StatusCode);
        using var chat = new Conformer(nobody).Chat();
        var refused = await Assert.ThrowsAsync<RpcException>(() => chat.RequestStream.WriteAsync(new Message()).Soon());
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);

        await using var server = await GrpcServer.StartAsync(async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.FlushAsync();
            context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
        });
        Assert.Equal(StatusCode.Unavailable, (await FailAsync(server.Client())).StatusCode);
    }

    [Fact]
    public async Task Is_unavailable_where_a_connection_does_not_come_up()
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);

        // Nobody accepts: once the backlog is full, the kernel answers no more.
        var sockets = Enumerable.Range(0, 8).Select(_ => new Socket(SocketType.Stream, ProtocolType.Tcp)).ToList();
        var connecting = sockets.Select(socket => Record.ExceptionAsync(() => socket.ConnectAsync(listener.LocalEndPoint!))).ToList();
        var address = GrpcAddress.Tcp("127.0.0.1", ((IPEndPoint)listener.LocalEndPoint!).Port);
        using var channel = HttpChannel.ForAddress(address, new HttpChannelOptions { ConnectTimeout = TimeSpan.FromSeconds(1) });
        var failure = await FailAsync(new Conformer(channel));
        Assert.Equal(new Status(StatusCode.Unavailable, "The connection did not come up in time."), failure.Status);
        sockets.ForEach(socket => socket.Dispose());
        await Task.WhenAll(connecting).Soon();
    }

    [Fact]
    public async Task Writes_before_the_response_begins()
    {
        // As the C++ server does: headers leave with the first message.
        await using var server = await GrpcServer.StartAsync(async context =>
        {
            context.Response.ContentType = "application/grpc";
            var buffer = new byte[100];
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
                await context.Response.Body.FlushAsync();
            }

            context.Response.AppendTrailer("grpc-status", "0");
        });
        using var call = server.Client().Chat();
        for (var i = 0; i < 3; i++)
        {
            await call.RequestStream.WriteAsync(new Message { Number = i }).Soon();
            Assert.True(await call.ResponseStream.MoveNext().Soon());
            Assert.Equal(i, call.ResponseStream.Current.Number);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().Soon());
    }

    [Fact]
    public async Task Sends_what_gRPC_asks_for()
    {
        string? seen = null;
        await using var server = await GrpcServer.StartAsync(async context =>
        {
            var headers = context.Request.Headers;
            seen = $"{context.Request.Method} {context.Request.Scheme} {context.Request.Path} {context.Request.Protocol} {headers.TE} {headers.ContentType} {headers["grpc-timeout"]} {headers.TraceParent}";
            await AnswerAsync(context, s_frame);
        });
        await server.Client().EchoAsync(new Message()).ResponseAsync.Soon();
        Assert.Equal("POST http /hypercalls.tests.Conformance/Echo HTTP/2 trailers application/grpc  ", seen);
        await server.Client().EchoAsync(new Message(), deadline: DateTime.UtcNow.AddMinutes(1)).ResponseAsync.Soon();
        Assert.Matches(" application/grpc [0-9]{8}u $", seen);
    }

    [Fact]
    public async Task Enforces_its_deadline_on_a_server_that_does_not()
    {
        var arrived = 0;
        var aborted = new SemaphoreSlim(0);
        await using var server = await GrpcServer.StartAsync(async context =>
        {
            Interlocked.Increment(ref arrived);
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            context.RequestAborted.Register(() => gone.TrySetResult());
            await gone.Task;
            aborted.Release();
        });

        // A slow machine may need more than the first deadline to get the request to the server at all.
        for (var milliseconds = 300; arrived == 0; milliseconds *= 2)
        {
            using var call = server.Client().EchoAsync(new Message(), deadline: DateTime.UtcNow.AddMilliseconds(milliseconds));
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Soon());
            Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
            Assert.Equal(StatusCode.DeadlineExceeded, call.GetStatus().StatusCode);
        }

        await aborted.WaitAsync().Soon();
    }

    [Fact]
    public async Task Sends_nothing_when_the_deadline_is_over_before()
    {
        var calls = 0;
        await using var server = await GrpcServer.StartAsync(context =>
        {
            calls++;
            return AnswerAsync(context, s_frame);
        });
        var client = server.Client();
        foreach (var deadline in new[] { DateTime.UtcNow.AddSeconds(-1), DateTime.MinValue })
        {
            var failure = Assert.Throws<RpcException>(() => client.Echo(new Message(), deadline: deadline));
            Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        }

        Assert.Throws<ArgumentException>(() => client.Echo(new Message(), deadline: DateTime.Now.AddDays(1)));
        Assert.Equal(0, calls);
        await client.EchoAsync(new Message(), deadline: DateTime.MaxValue).ResponseAsync.Soon();
        await client.EchoAsync(new Message(), deadline: DateTime.UtcNow.AddYears(500)).ResponseAsync.Soon();
    }

    [Fact]
    public async Task Cancels_by_token_by_disposal_and_with_the_channel()
    {
        var aborted = new SemaphoreSlim(0);
        var arrived = new SemaphoreSlim(0);
        await using var server = await GrpcServer.StartAsync(async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.FlushAsync();
            arrived.Release();
            var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            context.RequestAborted.Register(() => gone.TrySetResult());
            await gone.Task;
            aborted.Release();
        });
        var channel = server.Channel();
        var client = new Conformer(channel);

        async Task IsCancelled(Func<CancellationToken, AsyncServerStreamingCall<Message>> start, Action<AsyncServerStreamingCall<Message>, CancellationTokenSource> cancel)
        {
            using var source = new CancellationTokenSource();
            using var call = start(source.Token);
            await call.ResponseHeadersAsync.Soon();
            await arrived.WaitAsync().Soon();
            var reading = call.ResponseStream.MoveNext(CancellationToken.None);
            cancel(call, source);
            Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => reading.Soon())).StatusCode);
            Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
            await aborted.WaitAsync().Soon();
        }

        await IsCancelled(token => client.Repeat(new Message(), cancellationToken: token), (_, source) => source.Cancel());
        await IsCancelled(_ => client.Repeat(new Message(), cancellationToken: CancellationToken.None), (call, _) => call.Dispose());
        await IsCancelled(_ => client.Repeat(new Message(), cancellationToken: CancellationToken.None), (_, _) => channel.Dispose());
        Assert.Equal(StatusCode.Cancelled, (await FailAsync(client)).StatusCode);
        var before = Assert.Throws<RpcException>(() => server.Client().Echo(new Message(), cancellationToken: new CancellationToken(true)));
        Assert.Equal(StatusCode.Cancelled, before.StatusCode);
    }

    [Fact]
    public async Task Cancels_a_single_read()
    {
        await using var server = await GrpcServer.StartAsync();
        using var call = server.Client().Chat();
        using var source = new CancellationTokenSource();
        var reading = call.ResponseStream.MoveNext(source.Token);
        await source.CancelAsync();
        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => reading.Soon())).StatusCode);
    }

    [Fact]
    public async Task Refuses_to_send_a_message_above_the_limit()
    {
        await using var server = await GrpcServer.StartAsync();
        var client = server.Client(new HttpChannelOptions { MaxSendMessageSize = 100 });
        var large = new Message { Data = ByteString.CopyFrom(new byte[100]) };
        var expected = new Status(StatusCode.ResourceExhausted, "The message to send has 102 bytes, 100 are allowed.");
        Assert.Equal(expected, Assert.Throws<RpcException>(() => client.Echo(large)).Status);

        using var call = client.Chat();
        Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(large).Soon())).Status);

        // The call itself goes on.
        await call.RequestStream.WriteAsync(new Message { Number = 1 }).Soon();
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.Equal(1, call.ResponseStream.Current.Number);
    }

    [Fact]
    public async Task Refuses_what_a_caller_must_not_do()
    {
        await using var server = await GrpcServer.StartAsync();
        var client = server.Client();
        Assert.Throws<ArgumentException>(() => client.Echo(new Message(), [new Metadata.Entry("grpc-status", "0")]));
        using var call = client.Chat();
        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        Assert.Throws<InvalidOperationException>(() => call.ResponseStream.Current);
        var reading = call.ResponseStream.MoveNext();
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext().Soon());
        await call.RequestStream.CompleteAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new Message()).Soon());
        Assert.False(await reading.Soon());
    }

    private static async Task<RpcException> FailAsync(Conformer client) =>
        await Assert.ThrowsAsync<RpcException>(() => client.EchoAsync(new Message()).ResponseAsync.Soon());

    private static async Task AnswerAsync(HttpContext context, byte[] body, string? status = "0", string? contentType = "application/grpc")
    {
        context.Response.ContentType = contentType;
        await context.Response.Body.WriteAsync(body);
        if (status is not null)
        {
            context.Response.AppendTrailer("grpc-status", status);
        }
    }

    private static byte[] Frame(Message message) => [0, 0, 0, 0, (byte)message.CalculateSize(), .. message.ToByteArray()];
}

using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Daemon.Wire.Grpc;
using Hypercalls.Tests.Conformance;
using Hypercalls.Tests.Protos.Grpc;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Tests.Daemon.Wire.Grpc;

/// <summary>What the server does when handlers fail, hang or come too late, and when callers leave.</summary>
public class ServerCallTests
{
    private static readonly byte[] s_frame = [0, 0, 0, 0, 0];

    [Fact]
    public async Task Logs_an_exception_and_keeps_it_from_the_caller()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = (_, _) => throw new InvalidDataException("secret"),
            OnRepeat = async (request, responses, _) =>
            {
                await responses.WriteAsync(request);
                throw new InvalidDataException("secret");
            },
        });
        var failure = await Assert.ThrowsAsync<RpcException>(() => server.Client().EchoAsync(new Message()).ResponseAsync.Soon());
        Assert.Equal(new Status(StatusCode.Unknown, "/hypercalls.tests.Conformance/Echo has failed; the log of the daemon says how."), failure.Status);
        using var call = server.Client().Repeat(new Message());
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.Equal(StatusCode.Unknown, (await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().Soon())).StatusCode);

        var errors = server.Log.Where(entry => entry.Level == LogLevel.Error).ToList();
        Assert.Equal(["/hypercalls.tests.Conformance/Echo has failed.", "/hypercalls.tests.Conformance/Repeat has failed."], errors.Select(entry => entry.Text));
        Assert.All(errors, entry => Assert.IsType<InvalidDataException>(entry.Exception));
    }

    [Fact]
    public async Task Ends_a_call_whose_trailers_cannot_be_sent()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = (request, context) =>
            {
                context.ResponseTrailers.Add("grpc-status", "0");
                return Task.FromResult(request);
            },
        });
        var failure = await Assert.ThrowsAsync<RpcException>(() => server.Client().EchoAsync(new Message()).ResponseAsync.Soon());
        Assert.Equal(new Status(StatusCode.Unknown, "/hypercalls.tests.Conformance/Echo has given trailers that cannot be sent."), failure.Status);
    }

    [Fact]
    public async Task Ends_a_call_whose_handler_returns_nothing()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService { OnEcho = (_, _) => Task.FromResult<Message>(null!) });
        var failure = await Assert.ThrowsAsync<RpcException>(() => server.Client().EchoAsync(new Message()).ResponseAsync.Soon());
        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
    }

    [Fact]
    public async Task Receives_64_KiB_and_where_a_method_says_so_1_MiB()
    {
        await using var server = await GrpcServer.StartAsync();
        var client = server.Client();

        // Three bytes of tag and length stand before the data.
        var most = new Message { Data = ByteString.CopyFrom(new byte[(64 * 1024) - 4]) };
        Assert.Equal(64 * 1024, most.CalculateSize());
        Assert.Equal(most, await client.EchoAsync(most).ResponseAsync.Soon());
        var more = new Message { Data = ByteString.CopyFrom(new byte[(64 * 1024) - 3]) };
        var expected = new Status(StatusCode.ResourceExhausted, "The message received has 65537 bytes, 65536 are allowed.");
        Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => client.EchoAsync(more).ResponseAsync.Soon())).Status);

        // The server refuses the message by its prefix, so that the write fails or not.
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            using var chat = client.Chat();
            await chat.RequestStream.WriteAsync(more).Soon();
            await chat.ResponseStream.MoveNext().Soon();
        });
        Assert.Equal(expected, refused.Status);

        most = new Message { Data = ByteString.CopyFrom(new byte[ConformanceService.LargeLimit - 4]) };
        Assert.Equal(ConformanceService.LargeLimit, most.CalculateSize());
        Assert.Equal(most, await client.EchoLargeAsync(most).ResponseAsync.Soon());
        more = new Message { Data = ByteString.CopyFrom(new byte[ConformanceService.LargeLimit - 3]) };
        expected = new Status(StatusCode.ResourceExhausted, "The message received has 1048577 bytes, 1048576 are allowed.");
        Assert.Equal(expected, (await Assert.ThrowsAsync<RpcException>(() => client.EchoLargeAsync(more).ResponseAsync.Soon())).Status);
    }

    [Fact]
    public async Task Sends_no_message_that_a_client_would_not_take()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = (_, _) => Task.FromResult(new Message { Data = ByteString.CopyFrom(new byte[4 * 1024 * 1024]) }),
        });
        var failure = await Assert.ThrowsAsync<RpcException>(() => server.Client().EchoAsync(new Message()).ResponseAsync.Soon());
        Assert.Equal(new Status(StatusCode.ResourceExhausted, "The message to send has 4194309 bytes, 4194304 are allowed."), failure.Status);
    }

    [Theory]
    [InlineData("Echo")]
    [InlineData("Repeat")]
    public async Task Ends_a_call_at_its_deadline_while_the_handler_blocks_its_thread(string method)
    {
        using var release = new ManualResetEventSlim();
        var begun = false;
        var late = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = (request, _) =>
            {
                release.Wait();
                late.SetResult(null);
                return Task.FromResult(request);
            },
            OnRepeat = async (request, responses, _) =>
            {
                await responses.WriteAsync(request);
                begun = true;
                release.Wait();
                late.TrySetResult(await Record.ExceptionAsync(() => responses.WriteAsync(request)));
            },
        });
        using var client = new RawClient(server.Unix);
        var status = await client.CallAsync(method, s_frame, ("grpc-timeout", "300m"));
        Assert.Equal(new RawStatus("4", "The deadline of the call has passed.", !begun), status);
        release.Set();
        var exception = await late.Task.Soon();
        Assert.True(method == "Echo" ? exception is null : exception is OperationCanceledException);

        // The connection has taken no harm from what came late.
        Assert.Equal("0", (await client.CallAsync("Chat", s_frame)).Code);
    }

    [Fact]
    public async Task Ends_an_open_stream_at_its_deadline_and_tells_the_handler()
    {
        var told = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnChat = async (requests, _, context) =>
            {
                told.SetResult(await Record.ExceptionAsync(() => requests.MoveNext(CancellationToken.None)));
                Assert.True(context.CancellationToken.IsCancellationRequested);
            },
        });
        using var client = new RawClient(server.Unix);
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var response = await client.SendAsync(RawClient.Request("Chat", new OpenContent(open.Task), ("grpc-timeout", "300m")));
        Assert.Equal(new RawStatus("4", "The deadline of the call has passed.", true), await RawClient.StatusAsync(response));
        Assert.IsAssignableFrom<OperationCanceledException>(await told.Task.Soon());
        open.SetResult();
        Assert.DoesNotContain(server.Log, entry => entry.Level >= LogLevel.Error);
    }

    [Fact]
    public async Task Resets_a_stream_at_its_deadline_whose_caller_takes_nothing()
    {
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnRepeat = async (_, responses, _) => ended.SetResult(await Record.ExceptionAsync(async () =>
            {
                var message = new Message { Data = ByteString.CopyFrom(new byte[16 * 1024]) };
                while (true)
                {
                    await responses.WriteAsync(message);
                }
            })),
        });
        using var client = new RawClient(server.Unix);
        using var response = await client.SendAsync(RawClient.Request("Repeat", new ByteArrayContent(s_frame), ("grpc-timeout", "5S")));
        Assert.IsAssignableFrom<OperationCanceledException>(await ended.Task.Soon());
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => response.Content.CopyToAsync(Stream.Null).Soon());
        var reset = Assert.IsType<HttpProtocolException>(failure as HttpProtocolException ?? failure.InnerException);
        Assert.Equal(0x8, reset.ErrorCode);
    }

    [Fact]
    public async Task Tells_the_handler_when_the_caller_leaves()
    {
        var arrived = new SemaphoreSlim(0);
        var left = new SemaphoreSlim(0);
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = async (request, context) =>
            {
                arrived.Release();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.Infinite, context.CancellationToken));
                left.Release();
                return request;
            },
            OnChat = async (requests, responses, context) =>
            {
                arrived.Release();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => requests.MoveNext(CancellationToken.None));
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => responses.WriteAsync(new Message()));
                left.Release();
            },
        });
        var client = server.Client();
        var unary = client.EchoAsync(new Message());
        await arrived.WaitAsync().Soon();
        unary.Dispose();
        await left.WaitAsync().Soon();

        var stream = client.Chat();
        await arrived.WaitAsync().Soon();
        stream.Dispose();
        await left.WaitAsync().Soon();

        // A client that is gone altogether.
        var channel = server.Channel();
        using var lost = new Conformance.Conformance.ConformanceClient(channel).Chat();
        await arrived.WaitAsync().Soon();
        channel.Dispose();
        await left.WaitAsync().Soon();
        Assert.Single(await CallTests.AllAsync(client.Repeat(new Message { Number = 1 }).ResponseStream));
        Assert.DoesNotContain(server.Log, entry => entry.Level >= LogLevel.Error);
    }

    [Fact]
    public async Task Lets_a_handler_cancel_one_read_and_read_on()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnChat = async (requests, responses, _) =>
            {
                using var source = new CancellationTokenSource();
                var reading = requests.MoveNext(source.Token);
                await source.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
                await responses.WriteAsync(new Message { Text = "cancelled" });
                Assert.True(await requests.MoveNext(CancellationToken.None));
                await responses.WriteAsync(requests.Current);
            },
        });
        using var call = server.Client().Chat();
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.Equal("cancelled", call.ResponseStream.Current.Text);
        await call.RequestStream.WriteAsync(new Message { Number = 3 }).Soon();
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.Equal(3, call.ResponseStream.Current.Number);
        Assert.False(await call.ResponseStream.MoveNext().Soon());
    }

    [Fact]
    public async Task Ends_a_read_and_refuses_a_write_that_a_handler_leaves_behind()
    {
        var left = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnChat = (requests, responses, context) =>
            {
                var reading = requests.MoveNext(CancellationToken.None);
                _ = Task.Run(async () =>
                {
                    Assert.IsAssignableFrom<OperationCanceledException>(await Record.ExceptionAsync(() => reading));
                    Assert.IsAssignableFrom<OperationCanceledException>(await Record.ExceptionAsync(() => requests.MoveNext(CancellationToken.None)));
                    left.SetResult(await Record.ExceptionAsync(() => responses.WriteAsync(new Message())));
                });
                return responses.WriteAsync(new Message { Text = "bye" });
            },
        });
        using var call = server.Client().Chat();
        Assert.Equal([new Message { Text = "bye" }], await CallTests.AllAsync(call.ResponseStream));
        Assert.IsAssignableFrom<OperationCanceledException>(await left.Task.Soon());
    }

    [Fact]
    public async Task Sends_buffered_messages_with_the_next_one()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnRepeat = async (request, responses, _) =>
            {
                responses.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
                await responses.WriteAsync(request);
                await responses.WriteAsync(request);
                responses.WriteOptions = null;
                await responses.WriteAsync(request);
            },
        });
        using var call = server.Client().Repeat(new Message { Text = "x" });
        Assert.Equal(3, (await CallTests.AllAsync(call.ResponseStream)).Count);
    }

    [Fact]
    public async Task Refuses_what_a_handler_must_not_do()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnChat = async (requests, responses, context) =>
            {
                Assert.Throws<InvalidOperationException>(() => requests.Current);
                var reading = requests.MoveNext(CancellationToken.None);
                await Assert.ThrowsAsync<InvalidOperationException>(() => requests.MoveNext(CancellationToken.None));
                await responses.WriteAsync(new Message());
                await Assert.ThrowsAsync<InvalidOperationException>(() => context.WriteResponseHeadersAsync([]));
                Assert.Throws<NotSupportedException>(() => context.CreatePropagationToken());
                Assert.False(await reading);
            },
        });
        using var call = server.Client().Chat();
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().Soon());
    }

    [Fact]
    public async Task Refuses_to_map_a_service_twice_or_one_that_is_none()
    {
        var twice = await Assert.ThrowsAsync<InvalidOperationException>(() => GrpcServer.StartAsync(app =>
        {
            app.MapGrpcService<ConformanceService>();
            app.MapGrpcService<ConformanceService>();
        }));
        Assert.Equal("The service hypercalls.tests.Conformance is mapped twice.", twice.Message);
        await Assert.ThrowsAsync<InvalidOperationException>(() => GrpcServer.StartAsync(app => app.MapGrpcService<GrpcServiceOptions>()));
    }

    // A body that begins and does not end before it is told to.
    private sealed class OpenContent(Task end) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.FlushAsync();
            await end;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

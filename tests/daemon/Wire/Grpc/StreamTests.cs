using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Tests.Conformance;
using Hypercalls.Tests.Protos.Grpc;

namespace Hypercalls.Tests.Daemon.Wire.Grpc;

/// <summary>What long-lived and large streams meet on Kestrel.</summary>
public class StreamTests
{
    [Fact]
    public async Task Carries_more_than_30_MB_on_one_stream()
    {
        // Kestrel's limit of a request body is 30,000,000 bytes unless it is lifted.
        await using var server = await GrpcServer.StartAsync();
        using var call = server.Client().Chat();
        var request = new Message { Data = ByteString.CopyFrom(new byte[60 * 1024]) };
        long carried = 0;
        while (carried < 40_000_000)
        {
            await call.RequestStream.WriteAsync(request).Soon();
            Assert.True(await call.ResponseStream.MoveNext().Soon());
            Assert.Equal(request, call.ResponseStream.Current);
            carried += request.CalculateSize();
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().Soon());
    }

    [Fact]
    public async Task Carries_messages_larger_than_every_window_and_frame()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnRepeat = async (request, responses, _) =>
            {
                for (var i = 0; i < request.Number; i++)
                {
                    await responses.WriteAsync(Large(i));
                }
            },
        });
        using var call = server.Client().Repeat(new Message { Number = 8 });
        for (var i = 0; i < 8; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext().Soon());
            Assert.Equal(Large(i), call.ResponseStream.Current);
        }

        Assert.False(await call.ResponseStream.MoveNext().Soon());

        static Message Large(int seed)
        {
            var bytes = new byte[3 * 1024 * 1024];
            new Random(seed).NextBytes(bytes);
            return new Message { Number = seed, Data = ByteString.CopyFrom(bytes) };
        }
    }

    [Fact]
    public async Task Writes_ahead_of_a_slow_reader_and_loses_nothing()
    {
        await using var server = await GrpcServer.StartAsync();
        using var call = server.Client().Chat();
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                await call.RequestStream.WriteAsync(new Message { Number = i, Text = "about ninety bytes of request, as an exit of a vCPU has them in practice ........" });
            }

            await call.RequestStream.CompleteAsync();
        });
        for (var i = 0; i < 20_000; i++)
        {
            Assert.True(await call.ResponseStream.MoveNext().Soon());
            Assert.Equal(i, call.ResponseStream.Current.Number);
        }

        Assert.False(await call.ResponseStream.MoveNext().Soon());
        await writing.Soon();
    }

    [Fact]
    public async Task Keeps_the_status_when_the_server_ends_first_and_resets_the_rest()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnChat = async (requests, responses, _) =>
            {
                Assert.True(await requests.MoveNext(CancellationToken.None));
                await responses.WriteAsync(requests.Current);
                throw new RpcException(new Status(StatusCode.FailedPrecondition, "enough"));
            },
            OnCollect = (_, _) => throw new RpcException(new Status(StatusCode.PermissionDenied, "not this")),
        });
        var client = server.Client();
        for (var i = 0; i < 100; i++)
        {
            using var call = client.Chat();
            await call.RequestStream.WriteAsync(new Message { Number = i }).Soon();

            // Until the reset has arrived, and nothing was read before it.
            var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (true)
                {
                    await call.RequestStream.WriteAsync(new Message()).Soon();
                }
            });
            Assert.Equal(StatusCode.Cancelled, refused.StatusCode);
            Assert.True(await call.ResponseStream.MoveNext().Soon());
            Assert.Equal(i, call.ResponseStream.Current.Number);
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().Soon());
            Assert.Equal(new Status(StatusCode.FailedPrecondition, "enough"), failure.Status);

            using var collect = client.Collect();
            refused = await Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (true)
                {
                    await collect.RequestStream.WriteAsync(new Message()).Soon();
                }
            });
            Assert.Equal(new Status(StatusCode.PermissionDenied, "not this"), refused.Status);
        }
    }

    [Fact]
    public async Task Tells_a_writer_the_status_that_refused_its_message()
    {
        await using var server = await GrpcServer.StartAsync();
        var client = server.Client();
        var large = new Message { Data = ByteString.CopyFrom(new byte[16 * 1024 * 1024]) };
        for (var i = 0; i < 20; i++)
        {
            // The message is larger than the windows: the write is under way when the server refuses.
            using var call = client.Chat();
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(large).Soon());
            Assert.Equal(new Status(StatusCode.ResourceExhausted, "The message received has 16777221 bytes, 65536 are allowed."), failure.Status);
        }
    }

    [Fact]
    public async Task Serves_others_while_32_handlers_block_their_threads()
    {
        ThreadPool.GetMinThreads(out var threads, out _);
        Assert.True(threads >= 64, $"The pool begins with {threads} threads.");
        using var release = new ManualResetEventSlim();
        using var blocked = new CountdownEvent(32);
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = (request, _) =>
            {
                blocked.Signal();
                release.Wait();
                return Task.FromResult(request);
            },
        });
        var client = server.Client();
        var blocking = Enumerable.Range(0, 32).Select(_ => client.EchoAsync(new Message()).ResponseAsync).ToList();
        await Task.Factory.StartNew(() => blocked.Wait(), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Soon();

        using var call = client.Chat();
        for (var i = 0; i < 100; i++)
        {
            await call.RequestStream.WriteAsync(new Message { Number = i }).Soon();
            Assert.True(await call.ResponseStream.MoveNext().Soon());
        }

        Assert.DoesNotContain(blocking, task => task.IsCompleted);
        release.Set();
        await Task.WhenAll(blocking).Soon();
    }

    [Fact]
    public async Task Takes_calls_again_and_again_that_are_given_up_at_once()
    {
        await using var server = await GrpcServer.StartAsync();
        var client = server.Client();
        for (var i = 0; i < 500; i++)
        {
            using var call = client.Chat();
            if (i % 3 == 0)
            {
                await call.RequestStream.WriteAsync(new Message()).Soon();
            }
        }

        Assert.Equal(1, (await client.EchoAsync(new Message { Number = 1 }).ResponseAsync.Soon()).Number);
    }
}

/// <summary>On its own, since it takes a minute beside the other tests.</summary>
public class IdleStreamTests
{
    [Fact]
    public async Task Keeps_a_stream_that_is_idle_for_more_than_a_minute()
    {
        // Kestrel's smallest data rate ends a request after five seconds of silence unless it is lifted.
        await using var server = await GrpcServer.StartAsync();
        var calls = new[] { server.Client().Chat(), server.Client(tcp: true).Chat(), server.Client().Chat() };
        for (var i = 0; i < 2; i++)
        {
            // The third one is idle from the start.
            foreach (var call in i == 0 ? calls[..2] : calls)
            {
                await call.RequestStream.WriteAsync(new Message { Number = i }).Soon();
                Assert.True(await call.ResponseStream.MoveNext().Soon());
                Assert.Equal(i, call.ResponseStream.Current.Number);
            }

            if (i == 0)
            {
                var idle = Stopwatch.StartNew();
                await Task.Delay(TimeSpan.FromSeconds(61));
                Assert.True(idle.Elapsed > TimeSpan.FromMinutes(1));
            }
        }

        foreach (var call in calls)
        {
            await call.RequestStream.CompleteAsync();
            Assert.False(await call.ResponseStream.MoveNext().Soon());
            call.Dispose();
        }
    }
}

using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Grpc;
using Hypercalls.Tests.Conformance;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>The client of this repository against the server of this repository.</summary>
public class CallTests
{
    public static TheoryData<bool> Transports => [false, true];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Carries_one_request_and_one_response(bool tcp)
    {
        await using var server = await GrpcServer.StartAsync();
        var request = new Message { Number = 7, Text = "seven", Data = ByteString.CopyFrom(0, 1, 255) };
        using var call = server.Client(tcp: tcp).EchoAsync(request);
        Assert.Equal(request, await call.ResponseAsync.Soon());
        Assert.Equal(Status.DefaultSuccess, call.GetStatus());
        Assert.Equal(request, server.Client(tcp: tcp).Echo(request));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Carries_many_requests_and_one_response(bool tcp)
    {
        await using var server = await GrpcServer.StartAsync();
        using var call = server.Client(tcp: tcp).Collect();
        for (var i = 1; i <= 100; i++)
        {
            await call.RequestStream.WriteAsync(new Message { Number = i, Text = i % 50 == 0 ? "fifty" : "" }).Soon();
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal(new Message { Number = 5050, Text = "fiftyfifty" }, await call.ResponseAsync.Soon());
        Assert.Equal(Status.DefaultSuccess, call.GetStatus());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Carries_one_request_and_many_responses(bool tcp)
    {
        await using var server = await GrpcServer.StartAsync();
        var request = new Message { Number = 100, Text = "again" };
        using var call = server.Client(tcp: tcp).Repeat(request);
        Assert.Equal(Enumerable.Repeat(request, 100), await AllAsync(call.ResponseStream));
        Assert.Equal(Status.DefaultSuccess, call.GetStatus());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Carries_requests_and_responses_in_turn(bool tcp)
    {
        await using var server = await GrpcServer.StartAsync();
        using var call = server.Client(tcp: tcp).Chat();
        for (var i = 0; i < 1000; i++)
        {
            var request = new Message { Number = i };
            await call.RequestStream.WriteAsync(request).Soon();
            Assert.True(await call.ResponseStream.MoveNext().Soon());
            Assert.Equal(request, call.ResponseStream.Current);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().Soon());
        Assert.False(await call.ResponseStream.MoveNext().Soon());
        Assert.Equal(Status.DefaultSuccess, call.GetStatus());
    }

    [Fact]
    public async Task Carries_streams_without_messages()
    {
        await using var server = await GrpcServer.StartAsync();
        using var collect = server.Client().Collect();
        await collect.RequestStream.CompleteAsync();
        Assert.Equal(new Message(), await collect.ResponseAsync.Soon());
        using var repeat = server.Client().Repeat(new Message());
        Assert.Empty(await AllAsync(repeat.ResponseStream));
        using var chat = server.Client().Chat();
        await chat.RequestStream.CompleteAsync();
        Assert.Empty(await AllAsync(chat.ResponseStream));
    }

    [Fact]
    public async Task Keeps_many_calls_on_one_channel_apart()
    {
        await using var server = await GrpcServer.StartAsync();
        var client = server.Client();

        // More than the 100 streams that Kestrel takes on one connection.
        await Task.WhenAll(Enumerable.Range(0, 250).Select(async number =>
        {
            using var call = client.Chat();
            for (var i = 0; i < 10; i++)
            {
                var request = new Message { Number = number, Text = $"{i}" };
                await call.RequestStream.WriteAsync(request);
                Assert.True(await call.ResponseStream.MoveNext());
                Assert.Equal(request, call.ResponseStream.Current);
            }
        })).Soon();
    }

    [Theory]
    [InlineData(StatusCode.Cancelled)]
    [InlineData(StatusCode.Unknown)]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.DeadlineExceeded)]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.AlreadyExists)]
    [InlineData(StatusCode.PermissionDenied)]
    [InlineData(StatusCode.ResourceExhausted)]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.Aborted)]
    [InlineData(StatusCode.OutOfRange)]
    [InlineData(StatusCode.Unimplemented)]
    [InlineData(StatusCode.Internal)]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.DataLoss)]
    [InlineData(StatusCode.Unauthenticated)]
    public async Task Carries_every_status_before_and_after_messages(StatusCode code)
    {
        await using var server = await GrpcServer.StartAsync();
        var status = new Status(code, " 100 % of it, Größe 3 µm, 中文, 🙂\n2nd line ");
        var alone = await Assert.ThrowsAsync<RpcException>(
            () => server.Client().EchoAsync(new Message { Status = (int)code, Text = status.Detail }).ResponseAsync.Soon());
        Assert.Equal(status, alone.Status);

        using var call = server.Client().Repeat(new Message { Number = 2, Status = (int)code, Text = status.Detail });
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        var after = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext().Soon());
        Assert.Equal(status, after.Status);
        Assert.Equal(status, call.GetStatus());
    }

    [Fact]
    public async Task Carries_metadata_both_ways()
    {
        Metadata? received = null;
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = async (request, context) =>
            {
                received = context.RequestHeaders;
                await context.WriteResponseHeadersAsync([new Metadata.Entry("before", "b"), new Metadata.Entry("before-bin", [1, 2, 3, 4])]);
                context.ResponseTrailers.Add("after", "a");
                context.ResponseTrailers.Add("after-bin", [0xff]);
                return request;
            },
        });
        Metadata sent =
        [
            new Metadata.Entry("Text", "with, comma"),
            new Metadata.Entry("twice", "1"),
            new Metadata.Entry("twice", "2"),
            new Metadata.Entry("empty", ""),
            new Metadata.Entry("bytes-bin", [0, 0x80, 0xff]),
            new Metadata.Entry("bytes-bin", []),
            new Metadata.Entry("grpc-own-bin", [9]),
        ];
        using var call = server.Client().EchoAsync(new Message(), sent);
        Assert.Equal(Lines([new("before", "b"), new("before-bin", [1, 2, 3, 4])]), Lines(await call.ResponseHeadersAsync.Soon(), "before"));
        await call.ResponseAsync.Soon();
        Assert.Equal(Lines([new("after", "a"), new("after-bin", [0xff])]), Lines(call.GetTrailers(), "after"));

        // Values of one name may be joined on the way (gRPC over HTTP/2, Custom-Metadata).
        sent.RemoveAt(1);
        sent[1] = new Metadata.Entry("twice", "1, 2");
        Assert.Equal(Lines(sent), Lines(received!, "text", "twice", "empty", "bytes", "grpc-own"));
    }

    [Fact]
    public async Task Carries_trailers_with_a_failure()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = (_, _) => throw new RpcException(new Status(StatusCode.Aborted, "no"), [new Metadata.Entry("why-bin", [7])]),
        });
        using var call = server.Client().EchoAsync(new Message());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Soon());
        Assert.Equal([7], failure.Trailers.GetValueBytes("why-bin"));
        Assert.Equal([7], call.GetTrailers().GetValueBytes("why-bin"));
        Assert.Empty(await call.ResponseHeadersAsync.Soon());
    }

    [Fact]
    public async Task Tells_the_server_method_host_peer_and_deadline()
    {
        ServerCallContext? seen = null;
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = (request, context) =>
            {
                seen = context;
                return Task.FromResult(new Message { Text = $"{context.Method} {context.Host} {context.Peer.Split(':')[0]} {context.Deadline:O} {context.AuthContext.IsPeerAuthenticated}" });
            },
        });
        Assert.Equal(
            $"/hypercalls.tests.Conformance/Echo localhost unix {DateTime.MaxValue:O} False",
            (await server.Client().EchoAsync(new Message()).ResponseAsync.Soon()).Text);
        Assert.Equal(
            $"/hypercalls.tests.Conformance/Echo {server.Tcp.Host}:{server.Tcp.Port} ipv4 {DateTime.MaxValue:O} False",
            (await server.Client(tcp: true).EchoAsync(new Message()).ResponseAsync.Soon()).Text);

        var deadline = DateTime.UtcNow.AddHours(1);
        await server.Client().EchoAsync(new Message(), deadline: deadline).ResponseAsync.Soon();
        Assert.InRange(seen!.Deadline, deadline.AddMinutes(-10), deadline.AddMinutes(10));
    }

    [Fact]
    public async Task Goes_on_when_the_server_comes_back()
    {
        var folder = Directory.CreateTempSubdirectory("hypercalls-");
        using var channel = HttpChannel.ForAddress(GrpcServer.AddressIn(folder));
        var client = new Conformance.Conformance.ConformanceClient(channel);
        for (var life = 0; life < 3; life++)
        {
            var absent = await Assert.ThrowsAsync<RpcException>(() => client.EchoAsync(new Message()).ResponseAsync.Soon());
            Assert.Equal(StatusCode.Unavailable, absent.StatusCode);
            await using var server = await GrpcServer.StartAsync(new ConformanceService(), folder);
            await client.EchoAsync(new Message()).ResponseAsync.Soon();
        }

        folder.Delete(recursive: true);
    }

    internal static async Task<List<T>> AllAsync<T>(IAsyncStreamReader<T> reader)
    {
        var all = new List<T>();
        while (await reader.MoveNext(CancellationToken.None).Soon())
        {
            all.Add(reader.Current);
        }

        return all;
    }

    private static IEnumerable<string> Lines(Metadata metadata, params string[] beginnings) =>
        metadata
            .Where(entry => beginnings.Length == 0 || beginnings.Any(beginning => entry.Key.StartsWith(beginning, StringComparison.Ordinal)))
            .Select(entry => entry.ToString())
            .Order();
}

using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Tests.Conformance;
using Hypercalls.Tests.Protos.Grpc;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Hypercalls.Tests.Daemon.Wire.Grpc;

/// <summary>The server against clients that break the rules of gRPC over HTTP/2.</summary>
public class RawRequestTests
{
    private static readonly string[] s_refusals = ["0", "8", "12", "13"];
    private static readonly byte[] s_frame = Frame(new Message { Number = 5 });

    public static TheoryData<string, byte[], string, string> BadBodies => new()
    {
        // what                  body                              status  message
        { "nothing",             [],                               "12",   "/hypercalls.tests.Conformance/Echo has one request, the caller sent none." },
        { "two requests",        [.. s_frame, .. s_frame],         "12",   "/hypercalls.tests.Conformance/Echo has one request, the caller sent more." },
        { "half a prefix",       [0, 0, 0],                        "13",   "The stream ends within a message." },
        { "half a message",      s_frame[..^1],                    "13",   "The stream ends within a message." },
        { "flag of no meaning",  [2, .. s_frame[1..]],             "13",   "The flag byte of the message is 2; 0 and 1 are defined." },
        { "compressed, unnamed", [1, .. s_frame[1..]],             "13",   "The message is compressed; only grpc-encoding identity is supported." },
        { "64 KiB and a byte",   [0, 0, 1, 0, 1],                  "8",    "The message received has 65537 bytes, 65536 are allowed." },
        { "above 31 bits",       [0, 0xff, 0xff, 0xff, 0xff],      "8",    "The message received has 4294967295 bytes, 65536 are allowed." },
    };

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task Refuses_bytes_that_are_not_the_request(string what, byte[] body, string status, string message)
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        Assert.Equal((what, new RawStatus(status, message, true)), (what, await client.CallAsync("Echo", body)));
    }

    [Fact]
    public async Task Refuses_bytes_that_are_no_message()
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        foreach (var body in new byte[][] { [0xff, 0xff], [0x0a, 0x7f, 0x00], [0x07], [.. Enumerable.Repeat((byte)0xa5, 1000)] })
        {
            var status = await client.CallAsync("Echo", [0, 0, 0, (byte)(body.Length >> 8), (byte)body.Length, .. body]);
            Assert.Equal(("13", true), (status.Code, status.Alone));
            Assert.StartsWith("The message cannot be read: ", status.Message, StringComparison.Ordinal);
        }

        Assert.Equal(new RawStatus("0", "", false), await client.CallAsync("Echo", s_frame));
    }

    [Theory]
    [InlineData("Echo")]
    [InlineData("Collect")]
    [InlineData("Repeat")]
    [InlineData("Chat")]
    public async Task Refuses_a_broken_frame_in_every_kind_of_method(string method)
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        Assert.Equal(new RawStatus("13", "The stream ends within a message.", true), await client.CallAsync(method, s_frame[..^1]));
        Assert.DoesNotContain(server.Log, entry => entry.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    [Fact]
    public async Task Refuses_compression_and_says_what_it_takes()
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        using var response = await client.SendAsync(RawClient.Request("Echo", new ByteArrayContent([1, .. s_frame[1..]]), ("grpc-encoding", "gzip")));
        Assert.Equal(["identity"], response.Headers.GetValues("grpc-accept-encoding"));
        Assert.Equal(new RawStatus("12", "The message is compressed; only grpc-encoding identity is supported.", true), await RawClient.StatusAsync(response));

        // To name a compression and not to use it is allowed.
        Assert.Equal("0", (await client.CallAsync("Echo", s_frame, ("grpc-encoding", "gzip"))).Code);
        Assert.Equal("0", (await client.CallAsync("Echo", s_frame, ("grpc-encoding", "identity"), ("grpc-accept-encoding", "gzip, identity"))).Code);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpc+json")]
    [InlineData("application/grpcs")]
    public async Task Refuses_another_content_type(string contentType)
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        var content = new ByteArrayContent(s_frame);
        using var request = RawClient.Request("Echo", content);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        using var response = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task Refuses_a_request_without_a_content_type_and_other_HTTP_methods()
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        using var bare = await client.SendAsync(RawClient.Request("Echo", null));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, bare.StatusCode);
        using var get = RawClient.Request("Echo", null);
        get.Method = HttpMethod.Get;
        using var response = await client.SendAsync(get);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Fact]
    public async Task Refuses_HTTP_1()
    {
        await using var server = await GrpcServer.StartAsync(
            app => Hypercalls.Daemon.Wire.Grpc.GrpcEndpoints.MapGrpcService<ConformanceService>(app), HttpProtocols.Http1);
        using var client = new RawClient(server.Unix);
        using var request = RawClient.Request("Echo", new ByteArrayContent(s_frame));
        request.Version = HttpVersion.Version11;
        using var response = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.UpgradeRequired, response.StatusCode);
    }

    [Theory]
    [InlineData("hypercalls.tests.Conformance", "Nothing", "The service hypercalls.tests.Conformance has no method Nothing.")]
    [InlineData("hypercalls.tests.Conformance", "echo", "The service hypercalls.tests.Conformance has no method echo.")]
    [InlineData("hypercalls.tests.Nobody", "Echo", "There is no service hypercalls.tests.Nobody here.")]
    [InlineData("Conformance", "Echo", "There is no service Conformance here.")]
    [InlineData("hypercalls.tests.conformance", "Echo", "There is no service hypercalls.tests.conformance here.")]
    [InlineData("hypercalls.tests.Conformance", "Echo/", "The service hypercalls.tests.Conformance has no method Echo/.")]
    public async Task Says_that_a_method_is_not_implemented(string service, string name, string message)
    {
        await using var server = await GrpcServer.StartAsync();
        var bytes = Marshallers.Create<Message>(each => each.ToByteArray(), Message.Parser.ParseFrom);
        var method = new Method<Message, Message>(MethodType.Unary, service, name, bytes, bytes);
        using var call = server.Channel().CreateCallInvoker().AsyncUnaryCall(method, null, default, new Message());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.Soon());
        Assert.Equal(new Status(StatusCode.Unimplemented, message), failure.Status);
    }

    [Fact]
    public async Task Says_nothing_of_gRPC_to_others()
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        using var request = RawClient.Request("Echo", new StringContent("hello"));
        request.Content!.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        request.RequestUri = new Uri("http://localhost/any/thing");
        using var response = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.False(response.Headers.Contains("grpc-status"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1x")]
    [InlineData("-1S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    [InlineData("1 S")]
    public async Task Refuses_a_timeout_that_is_none(string timeout)
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        var message = $"grpc-timeout is not a number of at most eight digits and a unit: '{timeout}'.";
        Assert.Equal(new RawStatus("13", message, true), await client.CallAsync("Echo", s_frame, ("grpc-timeout", timeout)));
    }

    [Theory]
    [InlineData("99999999H")]
    [InlineData("99999999S")]
    [InlineData("60000m")]
    public async Task Takes_every_timeout_there_is(string timeout)
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        Assert.Equal(new RawStatus("0", "", false), await client.CallAsync("Echo", s_frame, ("grpc-timeout", timeout)));
    }

    [Fact]
    public async Task Refuses_metadata_that_is_not_base64_where_it_is_looked_at()
    {
        await using var server = await GrpcServer.StartAsync(new ConformanceService
        {
            OnEcho = (_, context) => Task.FromResult(new Message { Number = context.RequestHeaders.Count }),
        });
        using var client = new RawClient(server.Unix);
        Assert.Equal(new RawStatus("13", "The metadata 'x-bin' is not base64.", true), await client.CallAsync("Echo", s_frame, ("x-bin", "*")));
        Assert.Equal("0", (await client.CallAsync("Echo", s_frame, ("x-bin", "AA,AAA=,"))).Code);
    }

    [Fact]
    public async Task Keeps_serving_a_connection_after_thousands_of_broken_calls()
    {
        await using var server = await GrpcServer.StartAsync();
        using var client = new RawClient(server.Unix);
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
        {
            var body = new byte[random.Next(40)];
            random.NextBytes(body);
            body.AsSpan(0, Math.Min(4, body.Length)).Clear();
            var status = await client.CallAsync(i % 2 == 0 ? "Echo" : "Chat", body);
            Assert.Contains(status.Code, s_refusals);
        }

        Assert.Equal("0", (await client.CallAsync("Echo", s_frame)).Code);
    }

    private static byte[] Frame(Message message) => [0, 0, 0, 0, (byte)message.CalculateSize(), .. message.ToByteArray()];
}

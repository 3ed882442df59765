using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Hypercalls.Grpc;

namespace Hypercalls.Tests.Daemon.Wire.Grpc;

/// <summary>Sends whatever a test says over HTTP/2.</summary>
internal sealed class RawClient(GrpcAddress address) : IDisposable
{
    private readonly HttpMessageInvoker _transport = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address.SocketPath!), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    public static HttpRequestMessage Request(string method, HttpContent? content, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/hypercalls.tests.Conformance/" + method)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.Add("te", "trailers");
        if (content is not null)
        {
            content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return request;
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => _transport.SendAsync(request, CancellationToken.None).Soon();

    /// <summary>The status of a call with that body and whether it came alone in the headers.</summary>
    public async Task<RawStatus> CallAsync(string method, byte[] body, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(Request(method, new ByteArrayContent(body), headers));
        return await StatusAsync(response);
    }

    public static async Task<RawStatus> StatusAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/grpc", response.Content.Headers.ContentType?.ToString());
        await response.Content.CopyToAsync(Stream.Null).Soon();
        var alone = response.Headers.Contains("grpc-status");
        var block = alone ? response.Headers : response.TrailingHeaders;
        return new RawStatus(
            block.GetValues("grpc-status").Single(),
            block.TryGetValues("grpc-message", out var message) ? message.Single() : "",
            alone);
    }

    public void Dispose() => _transport.Dispose();
}

/// <summary>What a server said about a call, as it stood on the wire.</summary>
internal sealed record RawStatus(string Code, string Message, bool Alone);

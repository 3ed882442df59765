using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>A server reached over HTTP/2, through a Unix socket, over TCP or over TLS. Connections come up with the first call and again after a loss.</summary>
public sealed class HttpChannel : ChannelBase, IDisposable
{
    private readonly GrpcAddress _address;
    private readonly ConcurrentDictionary<string, Uri> _uris = new();
    private readonly CancellationTokenSource _disposed = new();

    private HttpChannel(GrpcAddress address, HttpChannelOptions options)
        : base(address.ToString())
    {
        _address = address;
        Options = options;
        Disposed = _disposed.Token;
        Transport = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null,
            AllowAutoRedirect = false,
            ConnectCallback = async (context, cancellationToken) => await ConnectAsync(context.DnsEndPoint, cancellationToken).ConfigureAwait(false),
            ConnectTimeout = options.ConnectTimeout,
            // The server's limit of streams per connection must not become a limit of vCPUs.
            EnableMultipleHttp2Connections = true,
            // A Unix socket has nothing between its ends that could swallow bytes, and a process that is merely stopped keeps its calls.
            KeepAlivePingDelay = address.SocketPath is null ? options.KeepAlivePingDelay : Timeout.InfiniteTimeSpan,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingTimeout = address.SocketPath is null ? options.KeepAlivePingTimeout : Timeout.InfiniteTimeSpan,
            UseCookies = false,
            UseProxy = false,
        });
    }

    internal HttpChannelOptions Options { get; }

    internal bool IsSecure => _address.IsSecure;

    internal HttpMessageInvoker Transport { get; }

    internal CancellationToken Disposed { get; }

    /// <summary>A channel to that address; nothing is connected yet.</summary>
    public static HttpChannel ForAddress(GrpcAddress address, HttpChannelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsSecure && options?.Tls is null)
        {
            throw new ArgumentException($"{address} needs {nameof(HttpChannelOptions)}.{nameof(HttpChannelOptions.Tls)}.", nameof(options));
        }

        return new HttpChannel(address, options ?? new HttpChannelOptions());
    }

    /// <inheritdoc/>
    public override CallInvoker CreateCallInvoker() => new HttpCallInvoker(this);

    /// <summary>Ends calls under way with CANCELLED and closes the connections.</summary>
    public void Dispose()
    {
        if (!_disposed.IsCancellationRequested)
        {
            _disposed.Cancel();
            Transport.Dispose();
            _disposed.Dispose();
        }
    }

    internal Uri UriOf(IMethod method) => _uris.GetOrAdd(method.FullName, path => new Uri(_address.Origin, path));

    /// <inheritdoc/>
    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    private async Task<Stream> ConnectAsync(DnsEndPoint endPoint, CancellationToken cancellationToken)
    {
        var socket = _address.SocketPath is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (_address.SocketPath is null)
            {
                TcpLiveness.Watch(socket);
            }

            await socket.ConnectAsync(_address.SocketPath is null ? endPoint : new UnixDomainSocketEndPoint(_address.SocketPath), cancellationToken).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            return _address.IsSecure ? await SecureAsync(stream, cancellationToken).ConfigureAwait(false) : stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // Here and not by the handler's own SslOptions: those are the same for every connection.
    private async Task<SslStream> SecureAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var options = Options.Tls!();
        options.TargetHost ??= _address.Host;
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        var secure = new SslStream(stream);
        await secure.AuthenticateAsClientAsync(options, cancellationToken).ConfigureAwait(false);
        return secure;
    }
}

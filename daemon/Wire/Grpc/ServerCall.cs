using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Grpc.Core;
using Hypercalls.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>One call on its HTTP/2 stream. It is over once, by the end of its handler or by its deadline; nothing is written afterwards.</summary>
internal sealed partial class ServerCall : ServerCallContext
{
    private readonly HttpContext _http;
    private readonly string _method;
    private readonly ILogger _log;
    private readonly CallDeadline? _deadline;
    private readonly Lock _gate = new();
    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private bool _begun;
    private bool _flushing;
    private volatile bool _requestsEnded;
    private volatile bool _callerGone;
    private volatile bool _over;

    public ServerCall(HttpContext http, string method, CallDeadline? deadline, ILogger log)
    {
        _http = http;
        _method = method;
        _deadline = deadline;
        _log = log;
        CancellationTokenCore = deadline?.Token ?? http.RequestAborted;
    }

    public HttpContext Http => _http;

    /// <summary>A compressed message is the caller's mistake only where it names no compression (gRPC, Compression).</summary>
    public StatusCode StatusOfCompressed => NamesCompression ? StatusCode.Unimplemented : StatusCode.Internal;

    protected override string MethodCore => _method;

    protected override string HostCore => _http.Request.Host.Value ?? "";

    protected override string PeerCore => _http.Connection.RemoteIpAddress switch
    {
        null => "unix:",
        { AddressFamily: AddressFamily.InterNetworkV6 } ip => $"ipv6:[{ip}]:{_http.Connection.RemotePort}",
        { } ip => $"ipv4:{ip}:{_http.Connection.RemotePort}",
    };

    protected override DateTime DeadlineCore => _deadline?.Time ?? DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => _requestHeaders ??= ReadHeaders();

    protected override CancellationToken CancellationTokenCore { get; }

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new(null, []);

    private bool NamesCompression => _http.Request.Headers[GrpcHeaders.Encoding] is [{ } encoding, ..] && encoding != GrpcHeaders.Identity;

    /// <summary>Runs the handler to its end, and ends the call at its deadline whatever the handler does.</summary>
    public async Task RunAsync(Func<Task> serve, Func<Task> closeRequests)
    {
        // Disposed of before the stream is given back: the deadline may be ending it at this moment.
        await using var deadline = _deadline;
        _http.Response.ContentType = GrpcHeaders.ContentTypeValue;
        if (deadline?.Error is { } error)
        {
            End(new Status(StatusCode.Internal, error));
            return;
        }

        deadline?.Start(EndAtDeadlineAsync);
        End(await ServeAsync(serve));
        await closeRequests();
    }

    /// <summary>Sends a frame, or throws when the call is over.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> frame, bool flush, CancellationToken cancellationToken)
    {
        ValueTask<FlushResult> flushing;
        lock (_gate)
        {
            ThrowIfOver();
            _begun = true;
            _http.Response.BodyWriter.Write(frame.Span);
            if (!flush)
            {
                return;
            }

            flushing = StartFlush(cancellationToken);
        }

        await FinishAsync(flushing);
    }

    public void RequestsEnded() => _requestsEnded = true;

    /// <summary>For a read that failed below gRPC: the caller has reset the stream or its connection is lost.</summary>
    public OperationCanceledException CallerIsGone(IOException exception)
    {
        _callerGone = true;
        return new OperationCanceledException("The caller is gone.", exception);
    }

    public void ThrowIfOver()
    {
        if (_over || _callerGone || CancellationTokenCore.IsCancellationRequested)
        {
            throw new OperationCanceledException("The call is over.", CancellationTokenCore);
        }
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ValueTask<FlushResult> flushing;
        lock (_gate)
        {
            ThrowIfOver();
            if (_begun)
            {
                throw new InvalidOperationException("The response headers have been sent.");
            }

            _begun = true;
            foreach (var entry in responseHeaders)
            {
                _http.Response.Headers.Append(entry.Key, MetadataHeaders.Encode(entry));
            }

            flushing = StartFlush(CancellationToken.None);
        }

        await FinishAsync(flushing);
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Calls are not propagated; pass Deadline and CancellationToken on.");

    private Metadata ReadHeaders()
    {
        var metadata = new Metadata();
        foreach (var (name, values) in _http.Request.Headers)
        {
            foreach (var value in values)
            {
                if (!MetadataHeaders.TryAdd(metadata, name, value))
                {
                    throw new RpcException(new Status(StatusCode.Internal, $"The metadata '{name}' is not base64."));
                }
            }
        }

        return metadata;
    }

    private ValueTask<FlushResult> StartFlush(CancellationToken cancellationToken)
    {
        _flushing = true;
        return _http.Response.BodyWriter.FlushAsync(cancellationToken.CanBeCanceled ? cancellationToken : CancellationTokenCore);
    }

    private async ValueTask FinishAsync(ValueTask<FlushResult> flushing)
    {
        try
        {
            await flushing;
        }
        finally
        {
            lock (_gate)
            {
                _flushing = false;
            }
        }
    }
}

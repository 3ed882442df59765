using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>One call: an HTTP/2 request and the status it ends with, whichever comes first of response, deadline, cancellation and failure.</summary>
internal sealed class HttpCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    // A timer cannot run for longer.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly HttpChannel _channel;
    private readonly Method<TRequest, TResponse> _method;
    private readonly CallOptions _options;
    private readonly DateTime _deadline;
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Ending> _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IDisposable> _watches = [];
    private readonly Lock _gate = new();
    private RequestBody<TRequest>? _body;
    private PipeReader? _pipe;
    private bool _hasOneResponse;
    private bool _received;
    private HttpResponseMessage? _response;
    private Task<FrameReader<TResponse>?> _opening = Task.FromResult<FrameReader<TResponse>?>(null);

    public HttpCall(HttpChannel channel, Method<TRequest, TResponse> method, CallOptions options)
    {
        _channel = channel;
        _method = method;
        _options = options;
        _deadline = options.Deadline ?? DateTime.MaxValue;
        if (_deadline.Kind != DateTimeKind.Utc && _deadline != DateTime.MaxValue && _deadline != DateTime.MinValue)
        {
            throw new ArgumentException("The deadline of a call is in UTC.", nameof(options));
        }
    }

    public Task<Metadata> ResponseHeaders => _headers.Task;

    public WriteOptions? WriteOptions => _options.WriteOptions;

    public void Start(string? host, TRequest? only)
    {
        var timeout = _deadline == DateTime.MaxValue ? Timeout.InfiniteTimeSpan : _deadline - DateTime.UtcNow;
        var request = new HttpRequestMessage(HttpMethod.Post, _channel.UriOf(_method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        AddHeaders(request.Headers, host, timeout);
        try
        {
            _body = new RequestBody<TRequest>(new FrameWriter<TRequest>(_method.RequestMarshaller, _channel.Options.MaxSendMessageSize), only);
        }
        catch (RpcException exception)
        {
            End(exception.Status);
            return;
        }

        request.Content = _body;
        Watch(timeout);
        if (!_ending.Task.IsCompleted)
        {
            _opening = OpenAsync(request);
        }
    }

    /// <summary>The next response, null after the last one of a call that ended with OK.</summary>
    public async ValueTask<TResponse?> ReadAsync(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(call => ((HttpCall<TRequest, TResponse>)call!).Cancel(), this);
        if (await _opening.ConfigureAwait(false) is { } frames && !_ending.Task.IsCompleted)
        {
            try
            {
                var message = await frames.ReadAsync(_over.Token).ConfigureAwait(false);
                if (message is not null)
                {
                    _received = true;
                    return message;
                }

                EndFrom(_response!.TrailingHeaders);
            }
            catch (Exception exception)
            {
                End(StatusOf(exception));
            }

            await _pipe!.CompleteAsync().ConfigureAwait(false);
        }

        var ending = await _ending.Task.ConfigureAwait(false);
        return ending.Status.StatusCode == StatusCode.OK ? null : throw ending.Exception;
    }

    /// <summary>The response of a call that has one.</summary>
    public async Task<TResponse> ReadOnlyResponseAsync()
    {
        _hasOneResponse = true;
        var response = await ReadAsync(CancellationToken.None).ConfigureAwait(false);
        if (await ReadAsync(CancellationToken.None).ConfigureAwait(false) is not null)
        {
            End(new Status(StatusCode.Unimplemented, $"{_method.FullName} has one response, the server sent more."));
            throw Ended().Exception;
        }

        return response!;
    }

    public async Task WriteAsync(TRequest message, bool flush, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(call => ((HttpCall<TRequest, TResponse>)call!).Cancel(), this);
        ThrowIfOver();
        var frame = _body!.Frame(message);
        try
        {
            await _body.WriteAsync(frame, flush, _over.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // The server has ended the call: with a status that is here at once, or with one that stands behind responses not read yet.
            if (_hasOneResponse)
            {
                await _ending.Task.ConfigureAwait(false);
            }

            await _opening.ConfigureAwait(false);
            ThrowIfOver();
            throw new RpcException(new Status(StatusCode.Cancelled, "The server takes no more requests; the status of the call follows its responses.", exception));
        }
    }

    public void CompleteRequests() => _body?.Complete();

    public Status GetStatus() => Ended().Status;

    public Metadata GetTrailers() => Ended().Trailers;

    public void Dispose() => End(new Status(StatusCode.Cancelled, "The caller has disposed of the call."));

    private void Cancel() => End(new Status(StatusCode.Cancelled, "The caller has cancelled the call."));

    private Ending Ended() =>
        _ending.Task.IsCompleted ? _ending.Task.Result : throw new InvalidOperationException("The call is not over.");

    private void ThrowIfOver()
    {
        if (_ending.Task.IsCompleted)
        {
            throw GetStatus().StatusCode == StatusCode.OK
                ? new InvalidOperationException("The call has ended with OK and takes no more requests.")
                : Ended().Exception;
        }
    }

    private void AddHeaders(HttpRequestHeaders headers, string? host, TimeSpan timeout)
    {
        headers.Host = host;
        headers.TryAddWithoutValidation("te", "trailers");
        headers.TryAddWithoutValidation("user-agent", "grpc-csharp-hypercalls");
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            headers.TryAddWithoutValidation(GrpcHeaders.Timeout, GrpcTimeout.Format(timeout));
        }

        foreach (var entry in _options.Headers ?? Metadata.Empty)
        {
            headers.TryAddWithoutValidation(entry.Key, MetadataHeaders.Encode(entry));
        }
    }

    // Whoever ends the call, all of these are let go.
    private void Watch(TimeSpan timeout)
    {
        if (timeout != Timeout.InfiniteTimeSpan && timeout <= TimeSpan.Zero)
        {
            EndAtDeadline();
            return;
        }

        var timer = timeout != Timeout.InfiniteTimeSpan && timeout < s_longestTimer
            ? new Timer(call => ((HttpCall<TRequest, TResponse>)call!).EndAtDeadline(), this, timeout, Timeout.InfiniteTimeSpan)
            : null;
        var cancelled = _options.CancellationToken.UnsafeRegister(call => ((HttpCall<TRequest, TResponse>)call!).Cancel(), this);
        var disposed = _channel.Disposed.UnsafeRegister(call => ((HttpCall<TRequest, TResponse>)call!).End(new Status(StatusCode.Cancelled, "The channel is disposed of.")), this);
        lock (_gate)
        {
            _watches.AddRange([cancelled, disposed]);
            if (timer is not null)
            {
                _watches.Add(timer);
            }
        }

        if (_ending.Task.IsCompleted)
        {
            Release();
        }
    }

    private void EndAtDeadline() => End(new Status(StatusCode.DeadlineExceeded, "The deadline of the call has passed."));

    private async Task<FrameReader<TResponse>?> OpenAsync(HttpRequestMessage request)
    {
        try
        {
            var response = await _channel.Transport.SendAsync(request, _over.Token).ConfigureAwait(false);
            lock (_gate)
            {
                _response = response;
            }

            // The call may have ended before there was a response to dispose of.
            if (_ending.Task.IsCompleted)
            {
                response.Dispose();
                return null;
            }

            if (ResponseHeader.Refusal(response) is { } refusal)
            {
                End(refusal);
                return null;
            }

            if (ResponseHeader.StatusIn(response.Headers) is not null)
            {
                EndFrom(response.Headers);
                return null;
            }

            _headers.TrySetResult(ResponseHeader.MetadataIn(response.Headers));
            var body = await response.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
            _pipe = PipeReader.Create(body);
            return new FrameReader<TResponse>(_pipe, _method.ResponseMarshaller, _channel.Options.MaxReceiveMessageSize, StatusCode.Internal);
        }
        catch (Exception exception)
        {
            End(StatusOf(exception));
            return null;
        }
    }

    private Status StatusOf(Exception exception)
    {
        var status = TransportErrors.StatusOf(exception, mayBeRefusal: _channel.IsSecure && _response is null);
        return status.StatusCode is StatusCode.Cancelled && _deadline <= DateTime.UtcNow
            ? new Status(StatusCode.DeadlineExceeded, "The deadline of the call has passed.", exception)
            : status;
    }

    private void EndFrom(HttpHeaders headers)
    {
        var status = ResponseHeader.StatusIn(headers) ?? new Status(StatusCode.Unknown, "The server ended the call without a grpc-status.");
        if (status.StatusCode == StatusCode.OK && _hasOneResponse && !_received)
        {
            status = new Status(StatusCode.Unimplemented, $"{_method.FullName} has one response, the server sent none.");
        }

        End(status, ResponseHeader.MetadataIn(headers));
    }

    private void End(Status status, Metadata? trailers = null)
    {
        if (!_ending.TrySetResult(new Ending(status, trailers ?? [])))
        {
            return;
        }

        if (status.StatusCode == StatusCode.OK || trailers is not null)
        {
            _headers.TrySetResult([]);
        }
        else if (_headers.TrySetException(new RpcException(status)))
        {
            // Few callers look at the headers: their failure is not to be reported as one that nobody saw.
            _ = _headers.Task.Exception;
        }

        Release();
    }

    private void Release()
    {
        _over.Cancel();
        _body?.Abandon();
        lock (_gate)
        {
            _watches.ForEach(watch => watch.Dispose());
            _watches.Clear();
            _response?.Dispose();
        }
    }

    private sealed record Ending(Status Status, Metadata Trailers)
    {
        public RpcException Exception => new(Status, Trailers);
    }
}

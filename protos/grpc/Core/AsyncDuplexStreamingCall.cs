namespace Grpc.Core;

/// <summary>A call of many requests and many responses, under way or done.</summary>
public sealed class AsyncDuplexStreamingCall<TRequest, TResponse>(
    IClientStreamWriter<TRequest> requestStream,
    IAsyncStreamReader<TResponse> responseStream,
    Task<Metadata> responseHeadersAsync,
    Func<Status> getStatusFunc,
    Func<Metadata> getTrailersFunc,
    Action disposeAction) : IDisposable
{
    public IClientStreamWriter<TRequest> RequestStream => requestStream;

    public IAsyncStreamReader<TResponse> ResponseStream => responseStream;

    public Task<Metadata> ResponseHeadersAsync => responseHeadersAsync;

    /// <summary>Once the call is done.</summary>
    public Status GetStatus() => getStatusFunc();

    /// <summary>Once the call is done.</summary>
    public Metadata GetTrailers() => getTrailersFunc();

    /// <summary>Cancels the call unless it is done.</summary>
    public void Dispose() => disposeAction();
}

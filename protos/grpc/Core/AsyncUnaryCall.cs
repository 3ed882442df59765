using System.Runtime.CompilerServices;

namespace Grpc.Core;

/// <summary>A call of one request and one response, under way or done.</summary>
public sealed class AsyncUnaryCall<TResponse>(
    Task<TResponse> responseAsync,
    Task<Metadata> responseHeadersAsync,
    Func<Status> getStatusFunc,
    Func<Metadata> getTrailersFunc,
    Action disposeAction) : IDisposable
{
    public Task<TResponse> ResponseAsync => responseAsync;

    public Task<Metadata> ResponseHeadersAsync => responseHeadersAsync;

    public TaskAwaiter<TResponse> GetAwaiter() => responseAsync.GetAwaiter();

    public ConfiguredTaskAwaitable<TResponse> ConfigureAwait(bool continueOnCapturedContext) =>
        responseAsync.ConfigureAwait(continueOnCapturedContext);

    /// <summary>Once the call is done.</summary>
    public Status GetStatus() => getStatusFunc();

    /// <summary>Once the call is done.</summary>
    public Metadata GetTrailers() => getTrailersFunc();

    /// <summary>Cancels the call unless it is done.</summary>
    public void Dispose() => disposeAction();
}

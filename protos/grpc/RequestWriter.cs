using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>The requests of a call, as its caller writes them.</summary>
internal sealed class RequestWriter<TRequest, TResponse>(HttpCall<TRequest, TResponse> call) : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private int _writing;
    private bool _complete;

    public WriteOptions? WriteOptions { get; set; } = call.WriteOptions;

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        Enter();
        try
        {
            await call.WriteAsync(message, ((WriteOptions?.Flags ?? 0) & WriteFlags.BufferHint) == 0, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    public Task CompleteAsync()
    {
        Enter();
        _complete = true;
        Volatile.Write(ref _writing, 0);
        call.CompleteRequests();
        return Task.CompletedTask;
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _writing, 1) != 0)
        {
            throw new InvalidOperationException("The write before is still in progress.");
        }

        if (_complete)
        {
            Volatile.Write(ref _writing, 0);
            throw new InvalidOperationException("The requests have been completed.");
        }
    }
}

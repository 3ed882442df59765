using Grpc.Core;
using Hypercalls.Grpc;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>The responses of a call, as the code that serves it writes them.</summary>
internal sealed class ResponseWriter<TResponse>(ServerCall call, FrameWriter<TResponse> frames) : IServerStreamWriter<TResponse>
    where TResponse : class
{
    private int _writing;

    public WriteOptions? WriteOptions
    {
        get => call.WriteOptions;
        set => call.WriteOptions = value;
    }

    public Task WriteAsync(TResponse message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref _writing, 1) != 0)
        {
            throw new InvalidOperationException("The write before is still in progress.");
        }

        try
        {
            var flush = ((WriteOptions?.Flags ?? 0) & WriteFlags.BufferHint) == 0;
            await call.WriteAsync(frames.Write(message), flush, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    /// <summary>The response of a method that has one; it leaves together with the status.</summary>
    public ValueTask WriteLastAsync(TResponse? message) =>
        message is null
            ? throw new InvalidOperationException("The method has returned no response.")
            : call.WriteAsync(frames.Write(message), flush: false, CancellationToken.None);
}

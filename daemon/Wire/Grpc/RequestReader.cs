using System.Runtime.CompilerServices;
using Grpc.Core;
using Hypercalls.Grpc;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>The requests of a call, as the code that serves it reads them.</summary>
internal sealed class RequestReader<TRequest>(ServerCall call, IMethod method, FrameReader<TRequest> frames) : IAsyncStreamReader<TRequest>
    where TRequest : class
{
    private int _reading;
    private TRequest? _current;

    public TRequest Current => _current ?? throw new InvalidOperationException("There is no current message.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            throw new InvalidOperationException("The read before is still in progress.");
        }

        try
        {
            _current = null;
            _current = await ReadAsync(cancellationToken);
            return _current is not null;
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    /// <summary>The request of a method that has one.</summary>
    public async ValueTask<TRequest> ReadOnlyAsync()
    {
        var request = await ReadAsync(CancellationToken.None) ?? throw Refuse("none");
        return await ReadAsync(CancellationToken.None) is null ? request : throw Refuse("more");
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<TRequest?> ReadAsync(CancellationToken cancellationToken)
    {
        var token = call.CancellationToken;
        using var both = cancellationToken.CanBeCanceled && cancellationToken != token
            ? CancellationTokenSource.CreateLinkedTokenSource(token, cancellationToken)
            : null;
        call.ThrowIfOver();
        try
        {
            var request = await frames.ReadAsync(both?.Token ?? token);
            if (request is null)
            {
                call.RequestsEnded();
            }

            return request;
        }
        catch (IOException exception)
        {
            throw call.CallerIsGone(exception);
        }
    }

    private RpcException Refuse(string count) =>
        new(new Status(StatusCode.Unimplemented, $"{method.FullName} has one request, the caller sent {count}."));
}

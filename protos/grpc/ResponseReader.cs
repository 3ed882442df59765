using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>The responses of a call, as its caller reads them.</summary>
internal sealed class ResponseReader<TRequest, TResponse>(HttpCall<TRequest, TResponse> call) : IAsyncStreamReader<TResponse>
    where TRequest : class
    where TResponse : class
{
    private int _reading;
    private TResponse? _current;

    public TResponse Current => _current ?? throw new InvalidOperationException("There is no current message.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            throw new InvalidOperationException("The read before is still in progress.");
        }

        try
        {
            _current = null;
            _current = await call.ReadAsync(cancellationToken).ConfigureAwait(false);
            return _current is not null;
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }
}

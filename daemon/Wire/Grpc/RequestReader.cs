using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Hypercalls.Grpc;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>The requests of a call, as the code that serves it reads them.</summary>
internal sealed class RequestReader<TRequest>(ServerCall call, IMethod method, PipeReader pipe, FrameReader<TRequest> frames) : IAsyncStreamReader<TRequest>
    where TRequest : class
{
    private readonly Lock _gate = new();
    private TRequest? _current;
    private bool _reading;
    private bool _closed;
    private TaskCompletionSource? _left;
    /// <summary>The call's token and the reader's own, joined for as long as the latter is the same: a stream reads with one.</summary>
    private CancellationTokenSource? _joined;
    private CancellationToken _joinedWith;

    public TRequest Current => _current ?? throw new InvalidOperationException("There is no current message.");

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_closed)
            {
                throw new OperationCanceledException("The call is over.");
            }

            if (_reading)
            {
                throw new InvalidOperationException("The read before is still in progress.");
            }

            _reading = true;
        }

        try
        {
            _current = null;
            _current = await ReadAsync(cancellationToken);
            return _current is not null;
        }
        finally
        {
            lock (_gate)
            {
                _reading = false;
                if (_closed)
                {
                    _joined?.Dispose();
                }

                _left?.SetResult();
            }
        }
    }

    /// <summary>Ends a read that the handler has left behind: the stream is given back, and may be another call's, after this.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _closed = true;
            if (!_reading)
            {
                _joined?.Dispose();
                return Task.CompletedTask;
            }

            _left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            try
            {
                pipe.CancelPendingRead();
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                // The caller has left: the read ends by itself, and is waited for all the same. What it reads is given back with the stream.
            }

            return _left.Task;
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
        var token = Joined(cancellationToken);
        call.ThrowIfOver();
        try
        {
            var request = await frames.ReadAsync(token);
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

    private CancellationToken Joined(CancellationToken cancellationToken)
    {
        var token = call.CancellationToken;
        if (!cancellationToken.CanBeCanceled || cancellationToken == token)
        {
            return token;
        }

        if (_joined is null || _joinedWith != cancellationToken)
        {
            _joined?.Dispose();
            (_joined, _joinedWith) = (CancellationTokenSource.CreateLinkedTokenSource(token, cancellationToken), cancellationToken);
        }

        return _joined.Token;
    }

    private RpcException Refuse(string count) =>
        new(new Status(StatusCode.Unimplemented, $"{method.FullName} has one request, the caller sent {count}."));
}

using System.Net;
using System.Net.Http.Headers;

namespace Hypercalls.Grpc;

/// <summary>The body of a request, written a message at a time while the response may already be on its way.</summary>
internal sealed class RequestBody<TRequest> : HttpContent
    where TRequest : class
{
    private static readonly MediaTypeHeaderValue s_contentType = new(GrpcHeaders.ContentTypeValue);

    private readonly FrameWriter<TRequest> _frames;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ReadOnlyMemory<byte> _onlyFrame;
    private volatile Stream? _stream;
    private volatile bool _written;

    /// <param name="frames">Makes the frames.</param>
    /// <param name="only">The one request of the call; null where requests are streamed.</param>
    public RequestBody(FrameWriter<TRequest> frames, TRequest? only)
    {
        _frames = frames;
        Headers.ContentType = s_contentType;
        if (only is not null)
        {
            _onlyFrame = frames.Write(only);
        }
    }

    /// <summary>The message as it is sent, valid until the next call.</summary>
    public ReadOnlyMemory<byte> Frame(TRequest message) => _frames.Write(message);

    public async Task WriteAsync(ReadOnlyMemory<byte> frame, bool flush, CancellationToken cancellationToken)
    {
        await _opened.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        _written = true;
        await _stream!.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
        if (flush)
        {
            await _stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>No request follows.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <summary>The call is over: nothing is sent any more.</summary>
    public void Abandon()
    {
        _opened.TrySetCanceled();
        _completed.TrySetCanceled();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (!_onlyFrame.IsEmpty)
        {
            await stream.WriteAsync(_onlyFrame, cancellationToken).ConfigureAwait(false);
            return;
        }

        // The handler comes again when a connection closed before it took the request; messages are not kept for that.
        if (_written)
        {
            throw new IOException("The connection was lost after requests had been written.");
        }

        // The server is to know of the call before the first message, which may come much later.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        _stream = stream;
        _opened.TrySetResult();
        await _completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

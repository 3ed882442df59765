namespace Grpc.Core;

/// <summary>Sends the messages of a stream; one write at a time.</summary>
public interface IAsyncStreamWriter<in T>
{
    WriteOptions? WriteOptions { get; set; }

    Task WriteAsync(T message);

    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            throw new NotSupportedException("This stream cannot cancel a single write.");
        }

        return WriteAsync(message);
    }
}

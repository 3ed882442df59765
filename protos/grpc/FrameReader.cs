using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>Reads messages from frames: a flag byte, the length in four bytes, the message (gRPC over HTTP/2, Length-Prefixed-Message).</summary>
/// <param name="pipe">Where the frames come from.</param>
/// <param name="marshaller">Of the messages.</param>
/// <param name="limit">The longest message, in bytes.</param>
/// <param name="compressed">The status of a call with a compressed message.</param>
public sealed class FrameReader<T>(PipeReader pipe, Marshaller<T> marshaller, int limit, StatusCode compressed) : DeserializationContext
    where T : class
{
    private const int PrefixLength = FrameWriter<T>.PrefixLength;

    private ReadOnlySequence<byte> _payload;

    /// <inheritdoc/>
    public override int PayloadLength => (int)_payload.Length;

    /// <summary>The next message, null after the last one; one read at a time.</summary>
    /// <exception cref="RpcException">The bytes are no frame, or the message is too long, compressed or not readable.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<T?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = result.Buffer;
            if (TryFind(buffer))
            {
                var message = Deserialize();
                pipe.AdvanceTo(_payload.End);
                return message;
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCanceled)
            {
                throw new OperationCanceledException("The read was cancelled.");
            }

            if (result.IsCompleted)
            {
                return buffer.IsEmpty ? null : throw Refuse(StatusCode.Internal, "The stream ends within a message.");
            }
        }
    }

    /// <inheritdoc/>
    public override byte[] PayloadAsNewBuffer() => _payload.ToArray();

    /// <inheritdoc/>
    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => _payload;

    // Judges a frame by its prefix, before the message is there.
    private bool TryFind(ReadOnlySequence<byte> buffer)
    {
        if (buffer.Length < PrefixLength)
        {
            return false;
        }

        Span<byte> prefix = stackalloc byte[PrefixLength];
        buffer.Slice(0, PrefixLength).CopyTo(prefix);
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (prefix[0] == 1)
        {
            throw Refuse(compressed, "The message is compressed; only grpc-encoding identity is supported.");
        }

        if (prefix[0] != 0)
        {
            throw Refuse(StatusCode.Internal, $"The flag byte of the message is {prefix[0]}; 0 and 1 are defined.");
        }

        if (length > (uint)limit)
        {
            throw Refuse(StatusCode.ResourceExhausted, $"The message received has {length} bytes, {limit} are allowed.");
        }

        if (buffer.Length < PrefixLength + length)
        {
            return false;
        }

        _payload = buffer.Slice(PrefixLength, length);
        return true;
    }

    private T Deserialize()
    {
        try
        {
            return marshaller.ContextualDeserializer(this);
        }
        catch (Exception exception)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"The message cannot be read: {exception.Message}", exception));
        }
    }

    private static RpcException Refuse(StatusCode code, string detail) => new(new Status(code, detail));
}

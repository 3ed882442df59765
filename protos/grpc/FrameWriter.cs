using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>Writes messages as frames: a flag byte, the length in four bytes, the message (gRPC over HTTP/2, Length-Prefixed-Message).</summary>
/// <param name="marshaller">Of the messages.</param>
/// <param name="limit">The longest message, in bytes.</param>
public sealed class FrameWriter<T>(Marshaller<T> marshaller, int limit) : SerializationContext, IBufferWriter<byte>
    where T : class
{
    /// <summary>The bytes before a message.</summary>
    public const int PrefixLength = 5;

    // A buffer that one long message has made larger is not kept for the short ones after it.
    private const int LargestKept = 64 * 1024;

    private byte[] _buffer = [];
    private int _length;
    private bool _complete;

    /// <summary>The message as a frame, valid until the next call.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the message is longer than the limit.</exception>
    public ReadOnlyMemory<byte> Write(T message)
    {
        if (_buffer.Length > LargestKept)
        {
            _buffer = [];
        }

        _length = PrefixLength;
        _complete = false;
        marshaller.ContextualSerializer(message, this);
        if (!_complete)
        {
            throw new InvalidOperationException("The marshaller did not complete the message.");
        }

        Check(_length - PrefixLength);
        Reserve(_length);
        _buffer[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(1), (uint)(_length - PrefixLength));
        return _buffer.AsMemory(0, _length);
    }

    /// <inheritdoc/>
    public override void SetPayloadLength(int payloadLength)
    {
        Check(payloadLength);
        Reserve(PrefixLength + payloadLength);
    }

    /// <inheritdoc/>
    public override IBufferWriter<byte> GetBufferWriter() => this;

    /// <inheritdoc/>
    public override void Complete() => _complete = true;

    /// <inheritdoc/>
    public override void Complete(byte[] payload)
    {
        SetPayloadLength(payload.Length);
        payload.CopyTo(_buffer, PrefixLength);
        _length = PrefixLength + payload.Length;
        _complete = true;
    }

    void IBufferWriter<byte>.Advance(int count)
    {
        if (count < 0 || count > _buffer.Length - _length)
        {
            throw new ArgumentOutOfRangeException(nameof(count));
        }

        _length += count;
    }

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint) => Free(sizeHint);

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint) => Free(sizeHint).Span;

    private Memory<byte> Free(int sizeHint)
    {
        Reserve(_length + Math.Max(sizeHint, 1));
        return _buffer.AsMemory(_length);
    }

    private void Reserve(int length)
    {
        if (_buffer.Length < length)
        {
            Array.Resize(ref _buffer, Math.Max(length, Math.Min(_buffer.Length * 2, LargestKept)));
        }
    }

    private void Check(int length)
    {
        if (length > limit)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"The message to send has {length} bytes, {limit} are allowed."));
        }
    }
}

using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a marshaller puts the bytes of a message.</summary>
public abstract class SerializationContext
{
    /// <summary>Gives the whole message; the array belongs to the context afterwards.</summary>
    public virtual void Complete(byte[] payload) => throw new NotSupportedException();

    /// <summary>A writer for the message; <see cref="Complete()"/> ends it.</summary>
    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotSupportedException();

    /// <summary>Says the size before the first byte is written.</summary>
    public virtual void SetPayloadLength(int payloadLength)
    {
    }

    public virtual void Complete() => throw new NotSupportedException();
}

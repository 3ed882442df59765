namespace Grpc.Core;

/// <summary>How one message is written.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>Send it now.</summary>
    None = 0,

    /// <summary>It may wait for the next message.</summary>
    BufferHint = 1,

    /// <summary>Do not compress it; nothing is compressed here.</summary>
    NoCompress = 2,
}

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>The longest message that a method receives, in bytes, where it is not that of all methods.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ReceiveLimitAttribute(int bytes) : Attribute
{
    public int Bytes { get; } = bytes;
}

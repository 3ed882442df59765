namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>Limits of all methods; <see cref="ReceiveLimitAttribute"/> gives one method its own.</summary>
internal sealed class GrpcServiceOptions
{
    /// <summary>The longest message received, in bytes.</summary>
    public int MaxReceiveMessageSize { get; set; } = 64 * 1024;

    /// <summary>The longest message sent, in bytes: what clients of gRPC take unless told otherwise.</summary>
    public int MaxSendMessageSize { get; set; } = 4 * 1024 * 1024;
}

using System.Net.Security;

namespace Hypercalls.Grpc;

/// <summary>Limits of a channel, and its TLS.</summary>
public sealed record HttpChannelOptions
{
    /// <summary>The longest message received, in bytes; 4 MiB unless told otherwise. A longer one ends its call with RESOURCE_EXHAUSTED.</summary>
    public int MaxReceiveMessageSize { get; init; } = 4 * 1024 * 1024;

    /// <summary>The longest message sent, in bytes; as long as memory allows unless told otherwise. A longer one is refused with RESOURCE_EXHAUSTED and not sent.</summary>
    public int MaxSendMessageSize { get; init; } = int.MaxValue - FrameWriter<object>.PrefixLength;

    /// <summary>
    /// What an https address needs, a new object for each connection, so that certificates can change without a new channel. The channel fills in the host and HTTP/2.
    /// </summary>
    public Func<SslClientAuthenticationOptions>? Tls { get; init; }

    /// <summary>How long a connection may take to come up; 10 seconds unless told otherwise. Calls that wait for it longer end with UNAVAILABLE.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Over TCP, with calls under way: after this long without a byte from the server it is asked for a sign of life (HTTP/2, PING). 1 second and above; 5 seconds unless told otherwise.</summary>
    public TimeSpan KeepAlivePingDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A server that has not answered a PING by then is gone: its calls end with UNAVAILABLE, the next one connects anew. 1 second and above; 5 seconds unless told otherwise.</summary>
    public TimeSpan KeepAlivePingTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

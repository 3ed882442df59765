using Grpc.Core;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>Writing to a stream that the daemon may refuse meanwhile.</summary>
internal static class RefusedStreams
{
    /// <summary>Writes, or learns that the daemon has refused already: its status stays to be read from the answers.</summary>
    public static async Task TryWriteAsync<T>(this IClientStreamWriter<T> requests, T message)
    {
        try
        {
            await requests.WriteAsync(message);
        }
        catch (RpcException)
        {
            // The reader of the answers compares the status.
        }
    }
}

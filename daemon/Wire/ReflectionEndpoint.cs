using Grpc.Core;
using Grpc.Reflection.V1;

namespace Hypercalls.Daemon.Wire;

/// <summary>Tells tools what is served (GRPC Server Reflection Protocol, version 1).</summary>
internal sealed class ReflectionEndpoint(ReflectionIndex index) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream, IServerStreamWriter<ServerReflectionResponse> responseStream, ServerCallContext context)
    {
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await responseStream.WriteAsync(index.Answer(request));
        }
    }
}

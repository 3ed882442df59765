using Grpc.Core;
using Grpc.Health.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Hypercalls.Daemon.Wire;

/// <summary>Tells whether services are served (GRPC Health Checking Protocol).</summary>
internal sealed class HealthEndpoint(ServingStatuses statuses) : Health.HealthBase
{
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        statuses.Look(request.Service).Status is { } status
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(new Status(StatusCode.NotFound, $"There is no service '{request.Service}' here."));

    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        ServingStatus? told = null;
        while (true)
        {
            var closed = statuses.IsClosed;
            var (status, changed) = statuses.Look(request.Service);
            var now = status ?? ServingStatus.ServiceUnknown;
            if (told != now)
            {
                told = now;
                await responseStream.WriteAsync(new HealthCheckResponse { Status = now });
            }

            if (closed)
            {
                return;
            }

            await changed.WaitAsync(context.CancellationToken);
        }
    }
}

using Hypercalls.Daemon.Wire.Grpc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Hypercalls.Daemon.Wire;

/// <summary>What generic gRPC tools look for beside the services: health and reflection.</summary>
internal static class DiscoveryEndpoints
{
    public static IServiceCollection AddDiscovery(this IServiceCollection services) => services
        .AddSingleton<ServingStatuses>()
        .AddSingleton<ReflectionIndex>();

    public static void MapDiscovery(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<HealthEndpoint>();
        endpoints.MapGrpcService<ReflectionEndpoint>();
        endpoints.MapGrpcService<ReflectionV1AlphaEndpoint>();
    }
}

using System.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>Serves generated services on Kestrel; the calls are those of Grpc.AspNetCore.</summary>
internal static class GrpcEndpoints
{
    public static IServiceCollection AddGrpc(this IServiceCollection services, Action<GrpcServiceOptions>? configure = null)
    {
        services.AddRouting();
        services.AddSingleton<GrpcServices>();
        services.Configure<GrpcServiceOptions>(options => configure?.Invoke(options));
        return services;
    }

    /// <summary>Maps every method of the service. There is one instance: the singleton of that type where one is registered, else a new one.</summary>
    public static IEndpointConventionBuilder MapGrpcService<TService>(this IEndpointRouteBuilder endpoints)
        where TService : class
    {
        var provider = endpoints.ServiceProvider;
        var bind = typeof(TService).GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
            ?? throw new InvalidOperationException($"{typeof(TService)} is not derived from the base class of a generated service.");
        var service = provider.GetService<TService>() ?? ActivatorUtilities.CreateInstance<TService>(provider);
        var descriptor = (ServiceDescriptor)bind.BindType.GetProperty("Descriptor")!.GetValue(null)!;
        var services = provider.GetRequiredService<GrpcServices>();
        if (!services.Add(descriptor))
        {
            endpoints
                .MapFallback("/{service}/{method}", context => Unimplemented.AnswerAsync(context, services))
                .WithMetadata(new HttpMethodMetadata([HttpMethods.Post]));
        }

        var group = endpoints.MapGroup("/" + descriptor.FullName);
        var binder = new EndpointBinder(
            group,
            services,
            provider.GetRequiredService<IOptions<GrpcServiceOptions>>().Value,
            provider.GetRequiredService<ILoggerFactory>().CreateLogger<ServerCall>());
        bind.BindType
            .GetMethods(BindingFlags.Public | BindingFlags.Static)
            .Single(method => method.Name == bind.BindMethodName && method.GetParameters() is [var first, _] && first.ParameterType == typeof(ServiceBinderBase))
            .Invoke(null, [binder, service]);
        return group;
    }
}

using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Loading;
using Hypercalls.Daemon.Machines;
using Hypercalls.Daemon.Wire;
using Hypercalls.Daemon.Wire.Grpc;
using Hypercalls.Protos.Tls;
using Hypercalls.Sdk;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Hosting;

/// <summary>What the daemon is made of, a line each.</summary>
internal static class DaemonServices
{
    /// <summary>How long streams have to end when the daemon stops.</summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(5);

    public static void AddDaemon(this IServiceCollection services, DaemonOptions options, IReadOnlyList<LoadedPlugin> plugins, ServiceSet set)
    {
        services.AddSingleton(options);
        services.AddSingleton(plugins);
        services.AddSingleton(set);
        services.AddSingleton<TimeProvider, SteadyTime>();
        services.AddSingleton<DaemonLife>();
        services.AddSingleton<IServiceFaults, FaultReports>();
        services.AddSingleton<MachineRegistry>();
        services.AddSingleton<CallJournal>();
        services.AddSingleton<FunctionDirectory>();
        services.AddSingleton<Dispatcher>();
        services.AddSingleton<RefusedConnections>();
        services.AddSingleton<LocalConnections>();
        services.AddSingleton<RemoteConnections>();
        if (options is { Listen: not null, Tls: { } folder })
        {
            services.AddSingleton(provider => Certificates(folder, provider.GetRequiredService<ILogger<CertificateFolder>>()));
        }

        services.AddSingleton<AttachStream>();
        services.AddSingleton<VcpuStream>();
        services.AddHostedService<LostMachines>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = StopWithin);
        services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = Limits.MessageBytes);
        services.AddDiscovery();
    }

    public static void Listen(this WebApplicationBuilder builder, DaemonOptions options) =>
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            var local = kestrel.ApplicationServices.GetRequiredService<LocalConnections>();
            var remote = kestrel.ApplicationServices.GetRequiredService<RemoteConnections>();
            kestrel.AddServerHeader = false;
            // One stream per vCPU and one per machine, whatever the number of connections.
            kestrel.Limits.Http2.MaxStreamsPerConnection = Limits.Cores * 2;
            kestrel.ListenUnixSocket(options.Socket!, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(local.Check);
            });
            if (options.Listen is { } tcp)
            {
                var certificates = kestrel.ApplicationServices.GetService<CertificateFolder>();
                kestrel.Listen(ListenAddress.Tcp(tcp, isSecure: certificates is not null), listen =>
                {
                    listen.Protocols = HttpProtocols.Http2;
                    if (certificates is null)
                    {
                        remote.Plain(listen);
                    }
                    else
                    {
                        remote.Secure(listen, certificates);
                    }
                });
            }
        });

    public static void MapDaemon(this WebApplication app)
    {
        app.MapGrpcService<HypercallsEndpoint>();
        app.MapGrpcService<KernelRegisterEndpoint>();
        app.MapGrpcService<OperatorEndpoint>();
        app.MapDiscovery();
    }

    private static CertificateFolder Certificates(string folder, ILogger log)
    {
        try
        {
            return new(folder, isServer: true, sentence => Log.CertificatesChanged(log, sentence), sentence => Log.CertificatesFailed(log, sentence));
        }
        catch (CertificateException e)
        {
            throw new ConfigurationException(e.Message, e);
        }
    }
}

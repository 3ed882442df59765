using Hypercalls.Daemon.Wire.Grpc;
using Hypercalls.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Tests.Client.Library;

/// <summary>What a test puts in a daemon's place, on a socket of its own.</summary>
internal sealed class CourierServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly DirectoryInfo _folder;

    private CourierServer(WebApplication app, DirectoryInfo folder, GrpcAddress address) => (_app, _folder, Address, Channel) = (app, folder, address, HttpChannel.ForAddress(address));

    public GrpcAddress Address { get; }

    public HttpChannel Channel { get; }

    public static async Task<CourierServer> StartAsync<T>(T endpoint)
        where T : global::Hypercalls.Protos.Hypercalls.HypercallsBase
    {
        var folder = Directory.CreateTempSubdirectory("hypercalls-tests-");
        var socket = Path.Combine(folder.FullName, "s");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddGrpc().AddSingleton(endpoint);
        var app = builder.Build();
        app.MapGrpcService<T>();
        await app.StartAsync();
        return new(app, folder, GrpcAddress.Unix(socket));
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}

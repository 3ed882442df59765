using System.Collections.Concurrent;
using System.Net;
using Hypercalls.Daemon.Wire;
using Hypercalls.Daemon.Wire.Grpc;
using Hypercalls.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Conformer = Hypercalls.Tests.Conformance.Conformance.ConformanceClient;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>Kestrel in this process, on a Unix socket and on TCP, with the conformance service or with endpoints of a test's own.</summary>
internal sealed class GrpcServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly DirectoryInfo _folder;
    private readonly bool _folderIsGiven;
    private readonly List<HttpChannel> _channels = [];

    private GrpcServer(WebApplication app, DirectoryInfo folder, bool folderIsGiven, ConcurrentQueue<LogEntry> log)
    {
        _app = app;
        _folderIsGiven = folderIsGiven;
        _folder = folder;
        Log = log;
        Unix = AddressIn(folder);
        Tcp = GrpcAddress.Parse(app.Urls.Single(url => url.StartsWith("http://127", StringComparison.Ordinal)));
    }

    public GrpcAddress Unix { get; }

    public GrpcAddress Tcp { get; }

    public ConcurrentQueue<LogEntry> Log { get; }

    public IServiceProvider Services => _app.Services;

    public static GrpcAddress AddressIn(DirectoryInfo folder) => GrpcAddress.Unix(Path.Combine(folder.FullName, "socket"));

    public static Task<GrpcServer> StartAsync(ConformanceService? service = null, DirectoryInfo? folder = null) => StartAsync(
        app =>
        {
            app.MapGrpcService<ConformanceService>();
            app.MapDiscovery();
        },
        service ?? new ConformanceService(),
        HttpProtocols.Http2,
        folder);

    /// <summary>A server that answers every request as the test says.</summary>
    public static Task<GrpcServer> StartAsync(Microsoft.AspNetCore.Http.RequestDelegate answer, HttpProtocols protocols = HttpProtocols.Http2) =>
        StartAsync(app => app.Run(answer), new ConformanceService(), protocols, null);

    public static Task<GrpcServer> StartAsync(Action<WebApplication> map, HttpProtocols protocols = HttpProtocols.Http2) =>
        StartAsync(map, new ConformanceService(), protocols, null);

    private static async Task<GrpcServer> StartAsync(Action<WebApplication> map, ConformanceService service, HttpProtocols protocols, DirectoryInfo? given)
    {
        var folder = given ?? Directory.CreateTempSubdirectory("hypercalls-");
        var log = new ConcurrentQueue<LogEntry>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(new RecordingLoggerProvider(log)).SetMinimumLevel(LogLevel.Debug);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(AddressIn(folder).SocketPath!, listen => listen.Protocols = protocols);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols);
        });
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddGrpc().AddDiscovery().AddSingleton(service);
        var app = builder.Build();
        try
        {
            map(app);
            await app.StartAsync();
            return new GrpcServer(app, folder, given is not null, log);
        }
        catch
        {
            await app.DisposeAsync();
            folder.Delete(recursive: true);
            throw;
        }
    }

    public HttpChannel Channel(HttpChannelOptions? options = null, bool tcp = false)
    {
        var channel = HttpChannel.ForAddress(tcp ? Tcp : Unix, options);
        _channels.Add(channel);
        return channel;
    }

    public Conformer Client(HttpChannelOptions? options = null, bool tcp = false) => new(Channel(options, tcp));

    /// <summary>As when the daemon is told to stop.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await _app.DisposeAsync();
        if (!_folderIsGiven)
        {
            _folder.Delete(recursive: true);
        }
    }
}

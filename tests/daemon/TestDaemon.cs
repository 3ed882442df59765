using Grpc.Core;
using Hypercalls.Daemon;
using Hypercalls.Daemon.Hosting;
using Hypercalls.Grpc;
using Microsoft.AspNetCore.Builder;

namespace Hypercalls.Tests.Daemon;

/// <summary>A daemon in this process, with real plugins on a socket of its own.</summary>
public sealed class TestDaemon : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly Action<DaemonOptions>? _configure;
    private readonly string[] _plugins = ["psci", "smccc", "hello", "trials"];
    private WebApplication? _app;
    private HttpChannel? _channel;

    public TestDaemon()
    {
    }

    internal TestDaemon(Action<DaemonOptions> configure) => _configure = configure;

    internal TestDaemon(params string[] plugins) => _plugins = plugins;

    /// <summary>Where builds put plugins, and those of the tests.</summary>
    public static string Artifacts => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", ".."));

    public string Socket => Path.Combine(_folder, "daemon.sock");

    public CallInvoker Invoker => _channel!.CreateCallInvoker();

    public IServiceProvider Services => _app!.Services;

    internal Hypercalls.Protos.Hypercalls.HypercallsClient Hypercalls => new(Invoker);

    internal Hypercalls.Protos.Operator.OperatorClient Operator => new(Invoker);

    internal Hypercalls.Protos.KernelRegister.KernelRegisterClient Register => new(Invoker);

    /// <summary>A plugin folder of these plugins alone.</summary>
    public static string PluginFolder(string parent, params string[] plugins)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, "plugins")).FullName;
        foreach (var plugin in plugins)
        {
            var source = Path.Combine(Artifacts, plugin is "trials" or "twin" ? "test-plugins" : "plugins", plugin);
            Directory.CreateSymbolicLink(Path.Combine(folder, plugin), source);
        }

        return folder;
    }

    public async Task InitializeAsync()
    {
        var plugins = PluginFolder(_folder, _plugins);
        _app = DaemonHost.Build(options =>
        {
            options.Socket = Socket;
            options.Plugins = plugins;
            // Wide: the machines that run tests are noisy.
            options.DeadlineMs = 20_000;
            options.HostDeadlineMs = 40_000;
            _configure?.Invoke(options);
        });
        await _app.StartAsync();
        _channel = HttpChannel.ForAddress(GrpcAddress.Unix(Socket));
    }

    /// <summary>Stops in order, as SIGTERM does.</summary>
    public Task StopAsync() => _app!.StopAsync();

    public async Task DisposeAsync()
    {
        _channel?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }
}

using System.Collections.Concurrent;
using Grpc.Core;
using Hypercalls.Daemon;
using Hypercalls.Daemon.Hosting;
using Hypercalls.Grpc;
using Hypercalls.Tests.Protos.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

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

    /// <summary>The TCP address, where it is configured to listen on one.</summary>
    public GrpcAddress Tcp => GrpcAddress.Parse(_app!.Urls.Single(url => !url.Contains("://unix:", StringComparison.Ordinal)));

    /// <summary>What it has logged.</summary>
    internal ConcurrentQueue<LogEntry> Log { get; } = [];

    internal Hypercalls.Protos.Hypercalls.HypercallsClient Hypercalls => new(Invoker);

    internal Hypercalls.Protos.Operator.OperatorClient Operator => new(Invoker);

    internal Hypercalls.Protos.KernelRegister.KernelRegisterClient Register => new(Invoker);

    /// <summary>A plugin folder of these plugins alone.</summary>
    public static string PluginFolder(string parent, params string[] plugins)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, "plugins")).FullName;
        foreach (var plugin in plugins)
        {
            var source = ((string[])["plugins", "samples", "test-plugins"]).Select(kind => Path.Combine(Artifacts, kind, plugin)).First(Directory.Exists);
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
        _app.Services.GetRequiredService<ILoggerFactory>().AddProvider(new RecordingLoggerProvider(Log));
        await _app.StartAsync();
        _channel = HttpChannel.ForAddress(GrpcAddress.Unix(Socket));
    }

    /// <summary>Waits for a line of the log.</summary>
    internal async Task<string> SaysAsync(string sentence)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        while (true)
        {
            if (Log.FirstOrDefault(entry => entry.Text.Contains(sentence, StringComparison.Ordinal)) is { } entry)
            {
                return entry.Text;
            }

            Assert.True(
                System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60),
                $"The log does not say '{sentence}' but:\n{string.Join('\n', Log.Select(line => line.Text))}");
            await Task.Delay(10);
        }
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

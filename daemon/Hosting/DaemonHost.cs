using System.Net.Sockets;
using Hypercalls.Daemon.Loading;
using Hypercalls.Protos.Tls;
using Hypercalls.Sdk;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Hosting;

/// <summary>The daemon's life: configuration, plugins, listening, a clean stop on SIGTERM.</summary>
internal static class DaemonHost
{
    private const int Started = 0;
    internal const int Misconfigured = 2;

    /// <summary>Runs until it is told to stop.</summary>
    /// <param name="commandLine">What the command line sets, stronger than file and environment.</param>
    /// <returns>The exit code: 0, or 2 with one sentence on standard error.</returns>
    public static async Task<int> RunAsync(Action<DaemonOptions> commandLine)
    {
        try
        {
            await using var app = Build(commandLine);
            await app.StartAsync();
            Announce(app);
            if (app.Services.GetRequiredService<DaemonOptions>().StopWithInput)
            {
                new Thread(() => StopWithInput(app.Lifetime)) { IsBackground = true, Name = "input" }.Start();
            }

            await app.WaitForShutdownAsync();
            return Started;
        }
        catch (ConfigurationException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return Misconfigured;
        }
        catch (Exception e) when (e is SocketException or UnauthorizedAccessException || (e is IOException && e.InnerException is AddressInUseException or SocketException))
        {
            await Console.Error.WriteLineAsync($"{e.Message} Choose another with --listen or --socket.");
            return Misconfigured;
        }
    }

    /// <summary>The application, not yet listening.</summary>
    /// <exception cref="ConfigurationException">The configuration is wrong.</exception>
    internal static WebApplication Build(Action<DaemonOptions> commandLine)
    {
        var builder = WebApplication.CreateEmptyBuilder(new() { ContentRootPath = AppContext.BaseDirectory });
        var options = Configuration.Read(builder.Configuration, commandLine);
        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
        });
        // A start that fails is told in one sentence, by RunAsync.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);

        var settings = ServiceSettings.Read(options.Settings, options.Set, options.KeepGoing);
        var lines = new ServiceLines(TimeProvider.System);
        var (loaded, services) = PluginLoader.Combine(PluginLoader.LoadAll(options.Plugins!, settings, lines.Log), options.KeepGoing);
        services = settings.WithOwners(services, options.KeepGoing);
        settings.CheckAllTaken(loaded, options.KeepGoing);
        builder.Services.AddSingleton(settings);
        builder.Services.AddDaemon(options, loaded, services);
        builder.Listen(options);
        var app = builder.Build();
        lines.Connect(app.Services.GetRequiredService<ILoggerFactory>());
        // Read now: what is wrong with them is no start.
        _ = app.Services.GetService<CertificateFolder>();
        app.MapDaemon();
        return app;
    }

    private static void StopWithInput(IHostApplicationLifetime lifetime)
    {
        using var input = Console.OpenStandardInput();
        Span<byte> ignored = stackalloc byte[64];
        while (input.Read(ignored) > 0)
        {
            // Only its end says something.
        }

        lifetime.StopApplication();
    }

    private static void Announce(WebApplication app)
    {
        var log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Hypercalls.Daemon");
        var services = app.Services.GetRequiredService<ServiceSet>().Services;
        foreach (var plugin in app.Services.GetRequiredService<IReadOnlyList<LoadedPlugin>>().Where(plugin => plugin.Failure is not null))
        {
            Log.PluginLeftOut(log, plugin.Folder, plugin.Failure!);
        }

        foreach (var function in app.Services.GetRequiredService<ServiceSet>().Unversioned)
        {
            Log.Unversioned(log, function.ToString());
        }

        var settings = app.Services.GetRequiredService<ServiceSettings>();
        foreach (var sentence in settings.LeftOut)
        {
            Log.SettingsRefused(log, sentence);
        }

        foreach (var (service, json, origin) in settings.Taken)
        {
            Log.Settings(log, service, json, origin);
        }

        // Of a service that refused its settings its failure tells.
        var refused = app.Services.GetRequiredService<IReadOnlyList<LoadedPlugin>>().Where(plugin => plugin.IsOfOthers).Select(plugin => plugin.Name).ToList();
        foreach (var (name, origin) in settings.Untaken().Where(untaken => !refused.Contains(untaken.Name, StringComparer.OrdinalIgnoreCase)))
        {
            Log.SettingsLeftOut(log, origin, name);
        }

        var options = app.Services.GetRequiredService<DaemonOptions>();
        var names = string.Join(", ", services.Select(service => service.Name));
        // As clients name them; the port is known by now, whichever was asked for.
        var tcp = app.Urls.Where(url => !url.Contains("://unix:", StringComparison.Ordinal));
        var addresses = string.Join(" and ", [options.Socket!, .. tcp]);
        Log.Listening(log, addresses, services.Count, names);
        if (app.Services.GetService<CertificateFolder>() is { } certificates)
        {
            var expires = CertificateFault.Time(certificates.Current.Certificate.NotAfter);
            Log.Secured(log, options.Tls!, expires);
        }
    }
}

using Microsoft.Extensions.Configuration;

namespace Hypercalls.Daemon.Hosting;

/// <summary>Settings: appsettings.json beside the daemon, then environment, then command line.</summary>
internal static class Configuration
{
    /// <summary>The settings, checked.</summary>
    /// <exception cref="ConfigurationException">A value is wrong: the sentence names it.</exception>
    public static DaemonOptions Read(ConfigurationManager configuration, Action<DaemonOptions> commandLine)
    {
        var options = Bound(configuration);
        // Clients read HYPERCALLS_TLS too: it asks for TLS where there is TCP, and for no TCP.
        options.Tls = options.Tls is "" ? null : options.Tls;
        var inherited = options.Tls;
        commandLine(options);
        if (options.Listen is null && options.Tls != inherited)
        {
            throw new ConfigurationException($"--tls {options.Tls} is for a TCP address: name one with --listen, such as 0.0.0.0:7433.");
        }

        if (options.Tls is "")
        {
            throw new ConfigurationException("--tls is empty. Name a folder, or leave it away.");
        }

        Check(options.DeadlineMs > 0, "DeadlineMs", options.DeadlineMs, "give milliseconds above 0");
        Check(options.HostDeadlineMs > options.DeadlineMs, "HostDeadlineMs", options.HostDeadlineMs, $"it must be longer than DeadlineMs, {options.DeadlineMs}");
        Check(options.KeepLostSeconds > 0, "KeepLostSeconds", options.KeepLostSeconds, "give seconds above 0");
        options.Socket = ListenAddress.Socket(options.Socket);
        return Located(options);
    }

    /// <summary>Where plugins and settings lie, for a mode that is no daemon.</summary>
    /// <exception cref="ConfigurationException">A value is wrong: the sentence names it.</exception>
    public static DaemonOptions ReadPlugins(ConfigurationManager configuration, Action<DaemonOptions> commandLine)
    {
        var options = Bound(configuration);
        commandLine(options);
        return Located(options);
    }

    private static DaemonOptions Located(DaemonOptions options)
    {
        options.Settings = options.Settings is null ? InstalledSettings() : FullPath(options.Settings);
        options.Plugins = Path.GetFullPath(options.Plugins ?? DefaultPlugins());
        return options;
    }

    private static DaemonOptions Bound(ConfigurationManager configuration)
    {
        var options = new DaemonOptions();
        try
        {
            configuration.AddJsonFile("appsettings.json", optional: true);
            // HYPERCALLS_DeadlineMs and the like.
            configuration.AddEnvironmentVariables();
            configuration.GetSection("Hypercalls").Bind(options);
            new ConfigurationBuilder().AddEnvironmentVariables("HYPERCALLS_").Build().Bind(options);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or InvalidDataException)
        {
            throw new ConfigurationException($"appsettings.json or the environment: {e.GetBaseException().Message} {e.Message}", e);
        }

        return options;
    }

    private static void Check(bool holds, string name, int value, string remedy)
    {
        if (!holds)
        {
            throw new ConfigurationException($"Setting Hypercalls:{name} is {value}: {remedy} (appsettings.json, or HYPERCALLS_{name} in the environment).");
        }
    }

    private static string? InstalledSettings()
    {
        var installed = Path.Combine(AppContext.BaseDirectory, "services.json");
        return File.Exists(installed) ? installed : null;
    }

    private static string FullPath(string settings) => settings.Length > 0
        ? Path.GetFullPath(settings)
        : throw new ConfigurationException("--settings is empty. Name a file, or leave it away.");

    /// <summary>Beside the daemon where it was installed; in a checkout, where the build puts plugins.</summary>
    private static string DefaultPlugins()
    {
        var installed = Path.Combine(AppContext.BaseDirectory, "plugins");
        return Directory.Exists(installed) ? installed : Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "plugins");
    }
}

using System.CommandLine;
using Hypercalls.Daemon.Loading;
using Hypercalls.Sdk;
using Hypercalls.Testkit.Sanity;
using Microsoft.Extensions.Configuration;

namespace Hypercalls.Daemon.Hosting;

/// <summary>hypercalls-daemon sanity: judges the service of one plugin by the rules that hold for every one. No daemon runs.</summary>
internal static class SanityMode
{
    private const int Sane = 0;
    private const int Faulty = 1;

    public static Command Create(Option<string?> plugins, Option<string?> settings, Option<string[]> set)
    {
        var plugin = new Argument<string>("plugin") { Description = "A plugin folder, or the name of one in the plugin folder." };
        var json = new Option<bool>("--json") { Description = "The report as JSON." };
        var seed = new Option<int?>("--seed") { Description = "Repeats the random calls of an earlier run.", HelpName = "number" };
        var calls = new Option<int?>("--calls") { Description = $"How many random calls; {new SanityOptions().Calls} by default.", HelpName = "number" };
        calls.Validators.Add(result =>
        {
            if (result.GetValue(calls) is < SanityOptions.FewestCalls or > SanityOptions.MostCalls)
            {
                result.AddError($"--calls takes {SanityOptions.FewestCalls} to {SanityOptions.MostCalls}.");
            }
        });
        var command = new Command("sanity", "Judge the service of a plugin by the rules that hold for every service.") { plugin, json, seed, calls, plugins, settings, set };
        command.SetAction(parsed =>
        {
            var by = new SanityOptions();
            by = by with { Seed = parsed.GetValue(seed) ?? by.Seed, Calls = parsed.GetValue(calls) ?? by.Calls };
            return Run(
                parsed.GetValue(plugin)!,
                options =>
                {
                    options.Plugins = parsed.GetValue(plugins) ?? options.Plugins;
                    options.Settings = parsed.GetValue(settings) ?? options.Settings;
                    options.Set = [.. options.Set, .. parsed.GetValue(set) ?? []];
                },
                by,
                parsed.GetValue(json));
        });
        return command;
    }

    private static int Run(string plugin, Action<DaemonOptions> commandLine, SanityOptions by, bool asJson)
    {
        try
        {
            using var configuration = new ConfigurationManager();
            configuration.SetBasePath(AppContext.BaseDirectory);
            var options = Configuration.ReadPlugins(configuration, commandLine);
            var report = SanityRun.Of(Load(Folder(plugin, options.Plugins!), options), by);
            Console.Out.Write(asJson ? report.ToJson() + "\n" : report.ToString());
            return report.Faults.Count == 0 ? Sane : Faulty;
        }
        catch (ConfigurationException e)
        {
            Console.Error.WriteLine(e.Message);
            return DaemonHost.Misconfigured;
        }
    }

    /// <summary>Where the plugin lies: a name is one of the plugin folder, all else a path.</summary>
    private static string Folder(string plugin, string plugins)
    {
        var named = Path.Combine(plugins, plugin);
        return !plugin.Contains(Path.DirectorySeparatorChar) && Directory.Exists(named) ? named
            : Directory.Exists(plugin) ? Path.GetFullPath(plugin)
            : throw new ConfigurationException($"There is no folder {plugin}, and no plugin of that name in {plugins}. Name a plugin folder, or one of {Names(plugins)}.");
    }

    private static string Names(string plugins) => Directory.Exists(plugins)
        ? string.Join(", ", Directory.EnumerateDirectories(plugins).Select(Path.GetFileName).Order(StringComparer.Ordinal))
        : "those of another --plugins";

    private static Func<Service> Load(string folder, DaemonOptions options)
    {
        var settings = ServiceSettings.Read(options.Settings, options.Set);
        var loaded = PluginLoader.Load(folder, settings, new ServiceLog(_ => { }));
        if (loaded.Make is not { } make)
        {
            throw new ConfigurationException(loaded.IsOfOthers ? loaded.Failure! : $"{loaded.Folder}: {loaded.Failure}");
        }

        // The file may set other services too; who types a setting means this one.
        if (settings.Untaken().FirstOrDefault(untaken => untaken.Origin.StartsWith("--set", StringComparison.Ordinal)) is { Name: { } name } untaken)
        {
            throw new ConfigurationException($"{untaken.Origin}: no service is named {name}; there is {loaded.Name}.");
        }

        return make;
    }
}

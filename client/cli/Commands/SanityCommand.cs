using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Hypercalls.Cli.Building;
using Hypercalls.Cli.Running;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls sanity: judges any service, by a mode of the daemon's executable. Needs no daemon.</summary>
internal static class SanityCommand
{
    public static Command Create()
    {
        var plugin = new Argument<string>("plugin") { Description = "A service's project, which is built, a plugin folder, or the name of one in the daemon's plugin folder, such as psci." };
        var json = new Option<bool>("--json") { Description = "The report as JSON." };
        var seed = new Option<int?>("--seed") { Description = "Repeats the random calls of an earlier run.", HelpName = "number" };
        var calls = new Option<int?>("--calls") { Description = "How many random calls; by default as many as take a few seconds.", HelpName = "number" };
        var plugins = new Option<string?>("--plugins") { Description = "The plugin folder; by default beside the daemon.", HelpName = "folder" };
        var command = new Command("sanity", "Judge a service by the rules that hold for every one. Exit code 0: sane, 1: it has faults, 2: it cannot be judged.") { plugin, json, seed, calls, plugins };
        var settings = DaemonSettings.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            var (judged, found) = await FindAsync(parsed.GetValue(plugin)!, parsed.GetValue(plugins), cancelled);
            List<string> arguments = ["sanity", judged, .. found.SettingsArguments(settings.Arguments(parsed))];
            if (parsed.GetValue(json))
            {
                arguments.Add(json.Name);
            }

            if (parsed.GetValue(plugins) is { } folder)
            {
                arguments.AddRange([plugins.Name, folder]);
            }

            foreach (var option in (Option<int?>[])[seed, calls])
            {
                if (parsed.GetValue(option) is { } number)
                {
                    arguments.AddRange([option.Name, number.ToString(CultureInfo.InvariantCulture)]);
                }
            }

            using var process = Process.Start(DaemonProgram.Start(arguments)) ?? throw new CliException("The daemon's executable could not be started.");
            try
            {
                await process.WaitForExitAsync(cancelled);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw;
            }

            return process.ExitCode;
        });
        return command;
    }

    /// <summary>The plugin to judge: a name of the plugin folder as it is, all else by the full path, and built where it is a project.</summary>
    private static async Task<(string Plugin, FoundServices Found)> FindAsync(string plugin, string? plugins, CancellationToken cancelled)
    {
        var isName = !plugin.Contains(Path.DirectorySeparatorChar) && (!Directory.Exists(plugin) || Directory.Exists(Path.Combine(plugins ?? DaemonProgram.StandardPlugins(), plugin)));
        if (isName && plugin is not ("." or ".."))
        {
            return (plugin, new([], [], []));
        }

        var project = ServiceProject.Find(plugin);
        var folder = project.IsBuilt ? project.Path : (await ServiceBuild.RunAsync(project.Path, cancelled)).Folder;
        return (folder, new([project], project.Settings is { } file ? [file] : [], []));
    }
}

using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Hypercalls.Cli.Running;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls sanity: judges any service, by a mode of the daemon's executable. Needs no daemon.</summary>
internal static class SanityCommand
{
    public static Command Create()
    {
        var plugin = new Argument<string>("plugin") { Description = "A plugin folder, or the name of one in the plugin folder, such as psci." };
        var json = new Option<bool>("--json") { Description = "The report as JSON." };
        var seed = new Option<int?>("--seed") { Description = "Repeats the random calls of an earlier run.", HelpName = "number" };
        var calls = new Option<int?>("--calls") { Description = "How many random calls; by default as many as take a few seconds.", HelpName = "number" };
        var plugins = new Option<string?>("--plugins") { Description = "The plugin folder; by default beside the daemon.", HelpName = "folder" };
        var command = new Command("sanity", "Judge a service by the rules that hold for every one. Exit code 0: sane, 1: it has faults, 2: it cannot be judged.") { plugin, json, seed, calls, plugins };
        var settings = DaemonSettings.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            List<string> arguments = ["sanity", Folder(parsed.GetValue(plugin)!), .. settings.Arguments(parsed)];
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

    /// <summary>The plugin to judge: a folder by its full path, a name as it is.</summary>
    private static string Folder(string plugin) => plugin.Contains(Path.DirectorySeparatorChar) ? Path.GetFullPath(plugin) : plugin;
}

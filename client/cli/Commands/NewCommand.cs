using System.CommandLine;
using Hypercalls.Cli.Templates;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls new: a service to begin with.</summary>
internal static class NewCommand
{
    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "Of the service, as a C# identifier: Acme." };
        var output = new Option<string?>("--output", "-o") { Description = "The folder to write, new or empty; by default ./NAME.", HelpName = "folder" };
        var command = new Command("new", "Write a service of your own to begin with: a project, its tests, its settings. The same as `dotnet new hypercall-service`.") { name, output };
        command.SetAction(async (parsed, cancelled) =>
        {
            var given = parsed.GetRequiredValue(name);
            var folder = parsed.GetValue(output) ?? Path.Combine(".", given);
            if ((ServiceName.Fault(given) ?? Fault(folder)) is { } fault)
            {
                throw new CliException(fault, ExitCode.BadInput);
            }

            ServiceTemplate.Write(await PackageFeed.FindAsync(cancelled), given, folder);
            Console.WriteLine($"Wrote {folder}. Next, in that folder:");
            Console.WriteLine("  dotnet test");
            Console.WriteLine($"  hypercalls run --service . --calls \"{given.ToUpperInvariant()}_ADD 1 2; {given.ToUpperInvariant()}_COUNT\"");
            Console.WriteLine($"  dotnet publish {given} -o PLUGINFOLDER/{given.ToLowerInvariant()}, then hypercalls daemon --plugins PLUGINFOLDER --settings services.json");
            return ExitCode.Done;
        });
        return command;
    }

    private static string? Fault(string folder) =>
        folder.Length == 0 ? "--output is empty: give a folder."
        : File.Exists(folder) ? $"{folder} is a file: give a new or empty folder with --output."
        : Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any() ? $"{folder} is not empty: give a new or empty folder with --output."
        : null;
}

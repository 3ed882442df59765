using System.CommandLine;

namespace Hypercalls.Cli.Running;

/// <summary>The options that a daemon to be started takes its services' settings from.</summary>
internal sealed class DaemonSettings
{
    public const string FileOption = "--settings";

    private readonly Option<string?> _file;
    private readonly Option<string[]> _set;

    private DaemonSettings(string whose)
    {
        _file = new(FileOption) { Description = $"The file of the services' settings{whose}; by default services.json beside the daemon.", HelpName = "file" };
        _set = new("--set") { Description = $"One setting over those of the file{whose}, such as PSCI.version=1.0. Repeatable.", HelpName = "service.member=value" };
    }

    /// <summary>Adds both to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="whose">Behind "settings": which daemon's.</param>
    public static DaemonSettings AddTo(Command command, string whose = "")
    {
        var settings = new DaemonSettings(whose);
        command.Add(settings._file);
        command.Add(settings._set);
        return settings;
    }

    /// <summary>As given, for the daemon's command line.</summary>
    public IReadOnlyList<string> Arguments(ParseResult parsed) =>
    [
        .. parsed.GetValue(_file) is { } file ? [_file.Name, file] : Array.Empty<string>(),
        .. (parsed.GetValue(_set) ?? []).SelectMany(set => (string[])[_set.Name, set]),
    ];
}

using System.CommandLine;

namespace Hypercalls.Cli.Building;

/// <summary>--service: services of one's own, built and loaded for one run.</summary>
internal sealed class ServiceOption
{
    private readonly Option<string[]> _service = new("--service")
    {
        Description = "A service of yours, served by a private daemon: its project's folder, which is built, the folder above it, or a plugin folder. Repeatable.",
        HelpName = "folder",
    };

    private readonly Option<string[]> _without = new("--without") { Description = "A standard service to leave away, served by none: psci, sdei, smccc, trng. A private daemon is started for it. Repeatable.", HelpName = "name" };

    private ServiceOption()
    {
    }

    public static ServiceOption AddTo(Command command, DaemonAddress daemon)
    {
        var services = new ServiceOption();
        command.Add(services._service);
        command.Add(services._without);
        command.Validators.Add(result =>
        {
            if (result.GetResult(services._service) is not null && daemon.IsGiven(result))
            {
                result.AddError("--service: a private daemon of its own serves it; leave --daemon away, or build the service into that daemon's plugin folder.");
            }

            if (result.GetResult(services._without) is not null && daemon.IsGiven(result))
            {
                result.AddError("--without: a private daemon does without it; leave --daemon away, or take the service out of that daemon's plugin folder.");
            }
        });
        return services;
    }

    public Option Option => _service;

    public IReadOnlyList<string> Given(ParseResult parsed) => parsed.GetValue(_service) ?? [];

    /// <summary>Finds each: before anything is built.</summary>
    /// <exception cref="CliException">One is not to be found, or two of them bring settings.</exception>
    public FoundServices Find(ParseResult parsed)
    {
        ServiceProject[] projects = [.. Given(parsed).Select(ServiceProject.Find)];
        string[] settings = [.. projects.Select(project => project.Settings).OfType<string>().Distinct()];
        return new(projects, settings, parsed.GetValue(_without) ?? []);
    }
}

/// <summary>What --service names, found.</summary>
/// <param name="Projects">In the order given; none where the option is not.</param>
/// <param name="Settings">The services.json files that they bring.</param>
/// <param name="Without">Standard services to be left away.</param>
internal sealed record FoundServices(IReadOnlyList<ServiceProject> Projects, IReadOnlyList<string> Settings, IReadOnlyList<string> Without)
{
    /// <summary>Builds those that are projects, and links them all into a plugin folder; null where there are none.</summary>
    /// <param name="plugins">The folder given in place of the standard plugins.</param>
    /// <param name="cancelled">Gives up.</param>
    public async Task<PluginLinks?> BuildAsync(string? plugins, CancellationToken cancelled)
    {
        if (Projects.Count == 0 && Without.Count == 0)
        {
            return null;
        }

        var given = new List<(string Folder, string Name)>();
        foreach (var project in Projects)
        {
            given.Add(project.IsBuilt ? (project.Path, Path.GetFileName(project.Path)) : await ServiceBuild.RunAsync(project.Path, cancelled));
        }

        return PluginLinks.Create(plugins ?? DaemonProgram.StandardPlugins(), given, Without);
    }

    /// <summary>For the daemon's command line: as given, else with the file that the services bring.</summary>
    /// <exception cref="CliException">They bring more than one.</exception>
    public IReadOnlyList<string> SettingsArguments(IReadOnlyList<string> given) =>
        given.Contains(Running.DaemonSettings.FileOption) || Settings.Count == 0 ? given
        : Settings is [var file] ? [Running.DaemonSettings.FileOption, file, .. given]
        : throw new CliException($"--service: {string.Join(" and ", Settings)} are two files of settings: name one with {Running.DaemonSettings.FileOption}.", ExitCode.BadInput);
}

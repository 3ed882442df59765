namespace Hypercalls.Cli.Building;

/// <summary>A plugin folder of links for one daemon: the standard plugins, and in front of them those that were given.</summary>
internal sealed class PluginLinks : IDisposable
{
    private readonly Dictionary<string, string> _given = [];

    private PluginLinks(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>Makes the links.</summary>
    /// <param name="standard">The folder of the standard plugins.</param>
    /// <param name="given">Plugin folders by their names.</param>
    /// <param name="without">Standard plugins that are left away.</param>
    /// <exception cref="CliException">There is no such folder, no such plugin to leave away, or two are given under one name.</exception>
    public static PluginLinks Create(string standard, IReadOnlyList<(string Folder, string Name)> given, IReadOnlyList<string> without)
    {
        if (!Directory.Exists(standard))
        {
            throw new CliException($"The plugin folder {standard} does not exist. Build the plugins, or name another folder with --plugins.");
        }

        if (given.GroupBy(plugin => plugin.Name).FirstOrDefault(named => named.Count() > 1) is { } twins)
        {
            throw new CliException($"--service: two services are named {twins.Key}: {string.Join(", ", twins.Select(plugin => plugin.Folder))}.", ExitCode.BadInput);
        }

        string[] plugins = [.. Directory.EnumerateDirectories(standard).Order()];
        if (without.FirstOrDefault(name => !Array.Exists(plugins, folder => Path.GetFileName(folder) == name)) is { } unknown)
        {
            throw new CliException($"--without {unknown}: there is no such plugin in {standard}, only {string.Join(", ", plugins.Select(Path.GetFileName))}.", ExitCode.BadInput);
        }

        var links = new PluginLinks(Directory.CreateTempSubdirectory("hypercalls-plugins-").FullName);
        try
        {
            links.Add(given, plugins.Where(folder => !without.Contains(Path.GetFileName(folder))));
            return links;
        }
        catch
        {
            links.Dispose();
            throw;
        }
    }

    /// <summary>Whether this is one of those that were given.</summary>
    public bool IsGiven(string folder) => Path.GetDirectoryName(folder) == Folder && _given.ContainsKey(Path.GetFileName(folder));

    /// <summary>A text in which the daemon names its plugins, with their own folders.</summary>
    public string WithoutLinks(string text) =>
        _given.OrderByDescending(plugin => plugin.Key.Length).Aggregate(text, (current, plugin) => current.Replace(Path.Combine(Folder, plugin.Key), plugin.Value, StringComparison.Ordinal));

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private void Add(IEnumerable<(string Folder, string Name)> given, IEnumerable<string> plugins)
    {
        foreach (var (folder, name) in given)
        {
            Add(folder, name);
            _given.Add(name, Path.TrimEndingDirectorySeparator(folder));
        }

        foreach (var folder in plugins)
        {
            var name = Path.GetFileName(folder);
            if (!_given.ContainsKey(name))
            {
                Add(folder, name);
            }
        }
    }

    private void Add(string folder, string name) => Directory.CreateSymbolicLink(Path.Combine(Folder, name), Path.GetFullPath(folder));
}

using System.Xml;
using System.Xml.Linq;

namespace Hypercalls.Cli.Building;

/// <summary>Finds what --service names: a project to be built, or a plugin folder that is built already.</summary>
/// <param name="Path">Of the project file, or of the plugin folder.</param>
/// <param name="IsBuilt">It is a plugin folder.</param>
internal sealed record ServiceProject(string Path, bool IsBuilt)
{
    private const string Pattern = "*.csproj";

    public string Folder => IsBuilt ? Path : System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>Its services.json, beside it or beside its folder; null where there is none.</summary>
    public string? Settings => new[] { Folder, IsBuilt ? Folder : System.IO.Path.GetDirectoryName(Folder) ?? Folder }
        .Select(folder => System.IO.Path.Combine(folder, "services.json"))
        .FirstOrDefault(File.Exists);

    /// <summary>Looks at the path itself, then at the folders in it.</summary>
    /// <exception cref="CliException">There is nothing, or more than one.</exception>
    public static ServiceProject Find(string named)
    {
        var path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(named));
        if (File.Exists(path) && path.EndsWith(".csproj", StringComparison.OrdinalIgnoreCase))
        {
            return new(path, IsBuilt: false);
        }

        if (!Directory.Exists(path))
        {
            throw Fault(named, File.Exists(path) ? "is a file: name the service's folder" : "does not exist");
        }

        string[] here = [.. Directory.EnumerateFiles(path, Pattern).Order(StringComparer.Ordinal)];
        if (here.Length > 0)
        {
            return new(One(named, path, here), IsBuilt: false);
        }

        if (Directory.EnumerateFiles(path, "*.deps.json").Any())
        {
            return new(path, IsBuilt: true);
        }

        string[] below = [.. Directory.EnumerateDirectories(path).SelectMany(folder => Directory.EnumerateFiles(folder, Pattern)).Order(StringComparer.Ordinal)];
        return below.Length > 0
            ? new(One(named, path, below), IsBuilt: false)
            : throw Fault(named, "holds neither a project nor a plugin: name the folder with the service's .csproj, or one that a build has filled");
    }

    /// <summary>The one that is a plugin; where none says so, the one that is no test.</summary>
    private static string One(string named, string folder, string[] projects)
    {
        if (projects is [var only])
        {
            return only;
        }

        var looks = projects.Select(project => (Project: project, Kind: KindOf(project))).Where(look => look.Kind != Kind.Test).ToList();
        var plugins = looks.Where(look => look.Kind == Kind.Plugin).ToList();
        return (plugins.Count > 0 ? plugins : looks) is [var one]
            ? one.Project
            : throw Fault(named, $"holds more than one project that may be the service: name one of {string.Join(", ", (plugins.Count > 0 ? plugins : looks is { Count: > 0 } ? looks : projects.Select(project => (project, Kind.Test))).Select(look => System.IO.Path.GetRelativePath(folder, look.Item1)))}");
    }

    private static Kind KindOf(string project)
    {
        XElement root;
        try
        {
            root = XElement.Load(project);
        }
        catch (Exception e) when (e is XmlException or IOException or UnauthorizedAccessException)
        {
            // The build says what is wrong with it.
            return Kind.Other;
        }

        string[] references = [.. root.Descendants()
            .Where(item => item.Name.LocalName is "PackageReference" or "ProjectReference" or "Reference")
            .Select(item => System.IO.Path.GetFileName(((string?)item.Attribute("Include") ?? "").Replace('\\', '/')).Replace(".csproj", "", StringComparison.OrdinalIgnoreCase))];
        return Says("IsTestProject", "true") || references.Any(name => name is "Microsoft.NET.Test.Sdk" or "Hypercalls.Testkit") ? Kind.Test
            : root.Descendants().Any(property => property.Name.LocalName == "HypercallPlugin") || Says("EnableDynamicLoading", "true") || references.Contains("Hypercalls.Sdk") ? Kind.Plugin
            : Kind.Other;

        bool Says(string property, string value) =>
            root.Descendants().Any(element => element.Name.LocalName == property && element.Value.Trim().Equals(value, StringComparison.OrdinalIgnoreCase));
    }

    private static CliException Fault(string named, string sentence) => new($"--service {named} {sentence}.", ExitCode.BadInput);

    private enum Kind
    {
        Plugin,
        Test,
        Other,
    }
}

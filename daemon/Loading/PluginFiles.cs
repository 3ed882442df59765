using System.Runtime.InteropServices;
using System.Text.Json;

namespace Hypercalls.Daemon.Loading;

/// <summary>The files of a plugin folder: one assembly with its .deps.json, and all that this lists. Nothing is loaded yet.</summary>
internal static class PluginFiles
{
    private const string Manifest = ".deps.json";

    // What the runtime takes on this system, portable builds included.
    private static readonly string[] s_runtimes =
    [
        RuntimeInformation.RuntimeIdentifier,
        $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}",
        "linux",
        $"unix-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}",
        "unix",
        "any",
    ];

    /// <summary>Finds the plugin's assembly, and looks at every file that belongs to it.</summary>
    /// <returns>Its path, and the paths of the other assemblies.</returns>
    /// <exception cref="PluginFaultException">A file is missing, cut short, or made for another daemon.</exception>
    public static (string Assembly, IReadOnlyList<string> Others) Check(string folder)
    {
        string[] manifests = [.. Directory.EnumerateFiles(folder, "*" + Manifest).Order(StringComparer.Ordinal)];
        if (manifests is not [var manifest])
        {
            throw new PluginFaultException(manifests.Length == 0
                ? "It holds no plugin: an assembly with its .deps.json beside it. Copy the whole output folder of its build."
                : $"It holds {manifests.Length} plugins, {string.Join(" and ", manifests.Select(Path.GetFileName))}: one folder is one plugin. Give each a folder of its own.");
        }

        var name = Path.GetFileName(manifest);
        if (DependencyManifest.Fault(manifest) is { } fault)
        {
            throw new PluginFaultException($"It cannot be loaded: {name} {fault}. Copy the whole output folder of its build again.");
        }

        var assembly = manifest[..^Manifest.Length] + ".dll";
        if (!File.Exists(assembly))
        {
            throw Missing(name, "its assembly", Path.GetFileName(assembly));
        }

        List<string> others = [];
        foreach (var (file, isNative) in Listed(manifest))
        {
            var path = Path.Combine(folder, file);
            if (!File.Exists(path))
            {
                throw Missing(name, isNative ? "the native library" : "the assembly", file);
            }

            if (!isNative && Path.GetFullPath(path) != Path.GetFullPath(assembly))
            {
                others.Add(path);
            }
        }

        foreach (var managed in others.Prepend(assembly))
        {
            PluginAssembly.Check(managed);
        }

        return (assembly, others);
    }

    private static PluginFaultException Missing(string manifest, string what, string file) =>
        new($"It cannot be loaded: {manifest} lists {what} {file}, which is not there. Copy the whole output folder of its build again.");

    /// <summary>Every file that the runtime may look for on this system, by its path in the folder.</summary>
    private static List<(string File, bool IsNative)> Listed(string manifest)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(manifest));
        var root = document.RootElement;
        List<(string, bool)> files = [];
        foreach (var library in root.GetProperty("targets").GetProperty(root.GetProperty("runtimeTarget").GetProperty("name").GetString()!).EnumerateObject())
        {
            foreach (var group in library.Value.EnumerateObject())
            {
                if (group.Value.ValueKind == JsonValueKind.Object)
                {
                    files.AddRange(group.Value.EnumerateObject().Select(asset => Of(group.Name, asset)).OfType<(string, bool)>());
                }
            }
        }

        return files;
    }

    // Assets without a runtime lie in the folder itself, whatever folders their package has; those of a runtime keep theirs.
    private static (string File, bool IsNative)? Of(string group, JsonProperty asset) => group switch
    {
        "runtime" => (Path.GetFileName(asset.Name), false),
        "native" => (Path.GetFileName(asset.Name), true),
        "resources" when Text(asset.Value, "locale") is { } locale => (Path.Combine(locale, Path.GetFileName(asset.Name)), false),
        "runtimeTargets" when Text(asset.Value, "rid") is { } runtime && s_runtimes.Contains(runtime) => (asset.Name, Text(asset.Value, "assetType") == "native"),
        _ => null,
    };

    private static string? Text(JsonElement asset, string name) =>
        asset.ValueKind == JsonValueKind.Object && asset.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

using System.Text.Json;

namespace Hypercalls.Daemon.Loading;

/// <summary>Looks at a .deps.json before the runtime does: the runtime's own reader ends the process on one that lacks what it expects.</summary>
internal static class DependencyManifest
{
    private const int LongestBytes = 4 * 1024 * 1024;

    /// <summary>What is wrong with the file; null where it can be handed to the runtime.</summary>
    public static string? Fault(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LongestBytes)
            {
                return $"is longer than {LongestBytes} bytes";
            }

            using var manifest = JsonDocument.Parse(File.ReadAllBytes(path));
            return Fault(manifest.RootElement);
        }
        catch (JsonException e)
        {
            return $"is no JSON: {e.Message}";
        }
    }

    private static string? Fault(JsonElement manifest)
    {
        if (!Has(manifest, "runtimeTarget", JsonValueKind.Object, out var runtimeTarget) || !Has(runtimeTarget, "name", JsonValueKind.String, out var name))
        {
            return "names no runtimeTarget";
        }

        if (!Has(manifest, "targets", JsonValueKind.Object, out var targets) || !Has(targets, name.GetString()!, JsonValueKind.Object, out var target))
        {
            return "has no targets of its runtimeTarget";
        }

        if (!Has(manifest, "libraries", JsonValueKind.Object, out var libraries))
        {
            return "lists no libraries";
        }

        foreach (var library in target.EnumerateObject())
        {
            if (library.Value.ValueKind != JsonValueKind.Object || !Has(libraries, library.Name, JsonValueKind.Object, out var described) || !IsWhole(described))
            {
                return $"does not describe its library {library.Name}";
            }

            foreach (var assets in library.Value.EnumerateObject())
            {
                if (!IsAssets(assets))
                {
                    return $"has no list under {assets.Name} of {library.Name}";
                }
            }
        }

        return null;
    }

    private static bool IsWhole(JsonElement library) =>
        library.EnumerateObject().All(property => property.Value.ValueKind is JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)
        && Has(library, "type", JsonValueKind.String, out _)
        && Has(library, "sha512", JsonValueKind.String, out _)
        && library.TryGetProperty("serviceable", out var serviceable) && serviceable.ValueKind is JsonValueKind.True or JsonValueKind.False;

    private static bool IsAssets(JsonProperty assets) =>
        assets.Value.ValueKind == JsonValueKind.Object
        && assets.Value.EnumerateObject().All(asset => asset.Value.ValueKind == JsonValueKind.String || IsStrings(asset.Value));

    private static bool IsStrings(JsonElement asset) =>
        asset.ValueKind == JsonValueKind.Object && asset.EnumerateObject().All(property => property.Value.ValueKind == JsonValueKind.String);

    private static bool Has(JsonElement parent, string name, JsonValueKind kind, out JsonElement value)
    {
        value = default;
        return parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out value) && value.ValueKind == kind;
    }
}

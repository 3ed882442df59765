using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hypercalls.Daemon.Loading;

/// <summary>Reads the file of the services' settings: an object with one member per service.</summary>
internal static class SettingsFile
{
    public static JsonNodeOptions NodeOptions { get; } = new() { PropertyNameCaseInsensitive = true };

    public static JsonDocumentOptions DocumentOptions { get; } = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>The members of the file.</summary>
    /// <exception cref="ConfigurationException">It cannot be read, or holds no such object.</exception>
    public static JsonObject Read(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path)) as JsonObject
                ?? throw new ConfigurationException($"{path} holds no object. Give it one member per service, such as {{ \"PSCI\": {{ \"version\": \"1.1\" }} }}.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ConfigurationException($"{path} does not exist. Make it, or leave --settings away.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path} cannot be read: {e.Message} Give this user the right to, or leave --settings away.", e);
        }
        catch (JsonException e)
        {
            var place = e.LineNumber is { } line ? $", line {line + 1}, position {e.BytePositionInLine + 1}" : "";
            throw new ConfigurationException($"{path}{place}: {Sentence(e)}. Mend it there.", e);
        }
    }

    /// <summary>Members by names in any case.</summary>
    /// <exception cref="JsonException">It is no JSON, or a name stands twice in an object.</exception>
    public static JsonNode? Parse(ReadOnlySpan<byte> json)
    {
        var root = JsonNode.Parse(json, NodeOptions, DocumentOptions);
        try
        {
            Look(root);
            return root;
        }
        catch (ArgumentException e)
        {
            throw new JsonException($"two members differ in nothing but capitals: {e.Message.Split("Key: ")[^1].Split(" (Parameter ")[0]}", e);
        }
    }

    /// <summary>An object is made when it is first looked into, and throws then where a name stands twice.</summary>
    private static void Look(JsonNode? node)
    {
        IEnumerable<JsonNode?> items = node switch
        {
            JsonObject members => members.Select(member => member.Value),
            JsonArray list => list,
            _ => [],
        };
        foreach (var item in items)
        {
            Look(item);
        }
    }

    private static string Sentence(JsonException fault) =>
        fault.Message.Split(" LineNumber: ")[0].Split(" Path: ")[0].TrimEnd('.', ' ');
}

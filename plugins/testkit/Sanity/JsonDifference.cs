using System.Text.Json.Nodes;

namespace Hypercalls.Testkit.Sanity;

/// <summary>The first member in which two saved states differ.</summary>
internal static class JsonDifference
{
    private const int LongestShown = 40;

    public static (string Path, string One, string Other) Of(string one, string other) =>
        Of("the state", JsonNode.Parse(one), JsonNode.Parse(other)) ?? ("the state", "one text", "another");

    private static (string Path, string One, string Other)? Of(string path, JsonNode? one, JsonNode? other)
    {
        if (JsonNode.DeepEquals(one, other))
        {
            return null;
        }

        if (one is JsonObject members && other is JsonObject others)
        {
            foreach (var (name, value) in members)
            {
                var here = path == "the state" ? name : $"{path}.{name}";
                if (Of(here, value, others[name]) is { } difference)
                {
                    return difference;
                }
            }
        }

        if (one is JsonArray items && other is JsonArray otherItems && items.Count == otherItems.Count)
        {
            for (var i = 0; i < items.Count; i++)
            {
                if (Of($"{path}[{i}]", items[i], otherItems[i]) is { } difference)
                {
                    return difference;
                }
            }
        }

        return (path, Shown(one), Shown(other));
    }

    private static string Shown(JsonNode? node)
    {
        var json = node?.ToJsonString() ?? "null";
        return json.Length <= LongestShown ? json : json[..LongestShown] + "…";
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hypercalls.Sdk;

/// <summary>States as JSON: unknown members are ignored, missing ones have their initialisers.</summary>
internal sealed class StateJson
{
    private const string Version = "$version";

    // Of this load context alone: the default options would keep the context alive. What the serializer itself remembers of a
    // type it drops about a second after the last use, when it next meets another.
    private readonly JsonSerializerOptions _options = new() { WriteIndented = true, Converters = { new MpidrJson(), new FunctionIdJson() } };

    public string Save<TState>(TState state, IUpgradable? upgradable)
        where TState : class
    {
        if (upgradable is null)
        {
            return JsonSerializer.Serialize(state, _options);
        }

        var members = JsonSerializer.SerializeToNode(state, _options)!.AsObject();
        members.Insert(0, Version, upgradable.StateVersion);
        return members.ToJsonString(_options);
    }

    /// <exception cref="StateException">It is no state of this service, or of a later version of it.</exception>
    public TState Restore<TState>(string json, IUpgradable? upgradable)
        where TState : class
    {
        try
        {
            var members = JsonNode.Parse(json) as JsonObject ?? throw new StateException("A state is one JSON object, and this is none.");
            var (version, newest) = (VersionOf(members), upgradable?.StateVersion ?? 1);
            if (version > newest)
            {
                throw new StateException($"The state is of version {version}, and this service knows {newest}: load the service that saved it, or a later one.");
            }

            if (version < newest)
            {
                members = upgradable!.Upgrade(members, version) ?? throw new StateException($"The service upgraded a state of version {version} to nothing.");
            }

            return members.Deserialize<TState>(_options)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new StateException($"The state cannot be read: {e.Message}", e);
        }
    }

    private static int VersionOf(JsonObject members)
    {
        if (!members.Remove(Version, out var version))
        {
            return 1;
        }

        return version is JsonValue value && value.TryGetValue(out int number) && number > 0 ? number : throw new StateException($"{Version} of a state is a whole number from 1, and not {version?.ToJsonString() ?? "null"}.");
    }
}

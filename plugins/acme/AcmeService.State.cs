using System.Globalization;
using System.Text.Json.Nodes;
using Hypercalls.Sdk;

namespace Hypercalls.Acme;

/// <summary>The state as people and earlier versions know it.</summary>
public sealed partial class AcmeService : IUpgradable, IStateTables<AcmeState>
{
    /// <inheritdoc/>
    public int StateVersion => 2;

    /// <inheritdoc/>
    public JsonObject Upgrade(JsonObject saved, int version)
    {
        ArgumentNullException.ThrowIfNull(saved);
        // Version 1: { "Digest": "…", "Extended": 3 }. Its one register is slot 0 now.
        var slots = new JsonArray([.. Enumerable.Range(0, AcmeState.SlotCount).Select(_ => new JsonObject())]);
        slots[0] = new JsonObject { ["Digest"] = Taken("Digest"), ["Count"] = Taken("Extended") };
        saved["Slots"] = slots;
        return saved;

        JsonNode? Taken(string member) => saved.Remove(member, out var value) ? value : null;
    }

    /// <inheritdoc/>
    public ValueArray<StateTable> Tables(AcmeState state, MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(state);
        return
        [
            new("Slots", ["slot", "digest", "measurements", "locked"], [.. state.Slots.Select((slot, n) => ValueArray.Of<string>([Text(n), slot.Digest, Text(slot.Count), slot.IsLocked ? "yes" : ""]))]),
            new("Counts", ["quotes", "kept out"], [[Text(state.Quotes), Text(state.Refused)]]),
        ];
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}

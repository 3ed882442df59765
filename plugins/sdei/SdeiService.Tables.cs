using System.Globalization;
using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>The state for people: per core what is masked, running and pending; per event its handlers.</summary>
public sealed partial class SdeiService : IStateTables<SdeiState>
{
    private const string Nothing = "–";

    /// <inheritdoc/>
    public ValueArray<StateTable> Tables(SdeiState state, MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(state);
        return
        [
            new("Cores", ["core", "power", "events", "running", "pending"], [.. Enumerable.Range(0, state.Pes.Count).Select(pe => RowOf(state, pe))]),
            new("Events", ["event", "type", "priority", "interrupt", "core", "handler", "state", "pending"], [.. Existing(state).SelectMany(one => RowsOf(state, one))]),
            new("Triggers", ["kept", "dropped"], [[Number(state.Triggers), Number(state.Dropped)]]),
        ];
    }

    private ValueArray<string> RowOf(SdeiState state, int pe)
    {
        var here = state.Pes[pe];
        var pending = _events.Existing(EventType.Private, state).Where(one => state.Record(one, pe).Trigger != 0);
        return
        [
            here.Core.ToString(),
            here.IsOn ? "on" : "off",
            here.IsMasked ? "masked" : "unmasked",
            List(new[] { here.Normal, here.Critical }.OfType<HandlerFrame>().Select(frame => frame.Event)),
            List(pending),
        ];
    }

    /// <summary>A private event has a row for each core where it has a handler or a trigger, and one where it has none.</summary>
    private IEnumerable<ValueArray<string>> RowsOf(SdeiState state, EventReference one)
    {
        if (one.Type == EventType.Shared)
        {
            return [RowOf(state, one, 0, state.Shared[one.Index] is { Routing: RoutingMode.Pe, Affinity: var core } ? core.ToString() : "any")];
        }

        var used = Enumerable.Range(0, state.Pes.Count).Where(pe => state.Record(one, pe) != default).ToList();
        return used.Count == 0 ? [RowOf(state, one, 0, Nothing)] : used.Select(pe => RowOf(state, one, pe, state.Pes[pe].Core.ToString()));
    }

    private ValueArray<string> RowOf(SdeiState state, EventReference one, int pe, string core)
    {
        var record = state.Record(one, pe);
        return
        [
            _events.Number(one).ToString(),
            one.Type == EventType.Private ? "private" : "shared",
            _events.Priority(one) == EventPriority.Critical ? "critical" : "normal",
            _events.Interrupt(one, state)?.ToString(CultureInfo.InvariantCulture) ?? Nothing,
            core,
            record.State == HandlerState.Unregistered ? Nothing
                : string.Create(CultureInfo.InvariantCulture, $"{(record.IsRelative ? "VBAR + " : "")}0x{record.EntryPoint:x}"),
            Words(record.State),
            record.Trigger != 0 ? "yes" : Nothing,
        ];
    }

    private static string Words(HandlerState state) => state switch
    {
        HandlerState.Registered => "registered",
        HandlerState.Enabled => "registered, enabled",
        HandlerState.UnregisterPending => "unregister-pending, running",
        HandlerState.RegisteredRunning => "registered, running",
        HandlerState.EnabledRunning => "registered, enabled, running",
        _ => "unregistered",
    };

    private string List(IEnumerable<EventReference> events) => string.Join(", ", events.Select(_events.Number)) is { Length: > 0 } list ? list : Nothing;

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);
}

using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>Events from outside the guest.</summary>
public sealed partial class SdeiService : IRaisable<SdeiState>
{
    /// <inheritdoc/>
    public Raised<SdeiState> Raise(SdeiState state, in RaisedEvent raised)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (raised.Event > uint.MaxValue || _events.Find(new((uint)raised.Event), state) is not { } asked)
        {
            return Refuse(state, $"there is no event {Text(raised.Event)}; there are {string.Join(", ", Existing(state).Select(_events.Number))}");
        }

        var number = _events.Number(asked);
        if (_events.Interrupt(asked, state) is { } intid)
        {
            return Refuse(state, $"event {number} is bound to interrupt {intid}, which alone triggers it");
        }

        if (asked.Type == EventType.Shared && raised.Core is not null)
        {
            return Refuse(state, $"event {number} is shared: its routing chooses the core; leave the core away");
        }

        if (asked.Type == EventType.Private && raised.Core is null && state.Pes.Count > 1)
        {
            return Refuse(state, $"event {number} is private: name the core that it is for");
        }

        var pe = raised.Core is { } core ? state.IndexOf(core) : 0;
        if (pe < 0)
        {
            return Refuse(state, $"there is no core {raised.Core}");
        }

        var record = state.Record(asked, pe);
        if (!HandlerTransitions.KeepsTriggers(record.State))
        {
            return Refuse(state, $"event {number} has no handler{At(state, asked, pe)}: the guest has not registered one");
        }

        var next = state.Trigger(asked, pe);
        var merged = record.Trigger != 0 ? ", as one with the trigger that waited before" : "";
        var target = asked.Type == EventType.Shared ? Dispatch.Target(_events, next, asked) : pe;
        return target >= 0 && Dispatch.Next(_events, next, target) == asked
            ? new(next, RaiseResult.Delivered, $"event {number} goes to core {state.Pes[target].Core}{merged}")
            : new(next, RaiseResult.Pending, $"event {number} waits{merged}: {Obstacle(next, asked, pe)}");
    }

    private static Raised<SdeiState> Refuse(SdeiState state, string text) => new(state, RaiseResult.Refused, text);

    /// <summary>Why an event that is triggered is not entered now.</summary>
    private string Obstacle(SdeiState state, EventReference asked, int pe)
    {
        var record = state.Record(asked, pe);
        var where = asked.Type == EventType.Private ? pe
            : record.Routing == RoutingMode.Pe ? state.IndexOf(record.Affinity)
            : -1;
        return record.State == HandlerState.Registered ? $"its handler is not enabled{At(state, asked, pe)}"
            : HandlerTransitions.IsRunning(record.State) ? "its handler runs"
            : where < 0 ? (Dispatch.Target(_events, state, asked) >= 0 ? "others come first" : "no core that is on and unmasked admits it")
            : !state.Pes[where].IsOn ? $"core {state.Pes[where].Core} is off"
            : state.Pes[where].IsMasked ? $"core {state.Pes[where].Core} is masked"
            : state.Pes[where].Running is { } running && !state.Pes[where].Admits(_events.Priority(asked)) ? $"core {state.Pes[where].Core} runs the handler of event {_events.Number(running.Event)}"
            : "others come first";
    }

    private static string At(SdeiState state, EventReference asked, int pe) => asked.Type == EventType.Private ? $" on core {state.Pes[pe].Core}" : "";

    private IEnumerable<EventReference> Existing(SdeiState state) => _events.Existing(EventType.Private, state).Concat(_events.Existing(EventType.Shared, state));

    private static string Text(ulong number) => number <= uint.MaxValue ? new EventNumber((uint)number).ToString() : $"0x{number:X}";
}

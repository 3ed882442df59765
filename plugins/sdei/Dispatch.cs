namespace Hypercalls.Sdei;

/// <summary>Which handler is entered where (DEN0054, Event dispatch).</summary>
internal static class Dispatch
{
    /// <summary>The event whose handler a PE is to enter now: critical before normal, then in the order of their triggers.</summary>
    /// <param name="events">The platform's.</param>
    /// <param name="state">The state.</param>
    /// <param name="pe">The PE's place.</param>
    /// <returns>Null where there is none.</returns>
    public static EventReference? Next(EventCatalogue events, SdeiState state, int pe)
    {
        var here = state.Pes[pe];
        if (!here.Admits(EventPriority.Critical))
        {
            return null;
        }

        EventReference? first = null;
        Look(EventType.Private, here.Events.Span, ref first);
        Look(EventType.Shared, state.Shared.Span, ref first);
        return first;

        void Look(EventType type, ReadOnlySpan<EventRecord> records, ref EventReference? best)
        {
            for (var index = 0; index < records.Length; index++)
            {
                var candidate = new EventReference(type, index);
                if (IsDispatchable(records[index]) && here.Admits(events.Priority(candidate))
                    && (best is not { } other || IsBefore(candidate, other))
                    && (type == EventType.Private || Target(events, state, candidate) == pe))
                {
                    best = candidate;
                }
            }
        }

        bool IsBefore(EventReference one, EventReference other) =>
            (events.Priority(other), state.Record(one, pe).Trigger).CompareTo((events.Priority(one), state.Record(other, pe).Trigger)) < 0;
    }

    /// <summary>The PE that is to handle a shared event now: its own where it is routed to one, else one that runs no handler before one that does, and the lowest of them.</summary>
    /// <param name="events">The platform's.</param>
    /// <param name="state">The state.</param>
    /// <param name="shared">A shared event.</param>
    /// <returns>Its place; −1 where no PE admits it.</returns>
    public static int Target(EventCatalogue events, SdeiState state, EventReference shared)
    {
        var record = state.Shared[shared.Index];
        var priority = events.Priority(shared);
        var busy = -1;
        var pes = state.Pes.Span;
        for (var i = 0; i < pes.Length; i++)
        {
            if (!pes[i].Admits(priority) || (record.Routing == RoutingMode.Pe && record.Affinity != pes[i].Core))
            {
                continue;
            }

            if (pes[i].Running is null)
            {
                return i;
            }

            busy = busy < 0 ? i : busy;
        }

        return busy;
    }

    private static bool IsDispatchable(in EventRecord record) =>
        record.Trigger != 0 && HandlerTransitions.Of(record.State, HandlerStep.Dispatch).Next is not null;
}

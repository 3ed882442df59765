using Hypercalls.Sdk;
using static Hypercalls.Sdei.SdeiStatus;

namespace Hypercalls.Sdei;

/// <summary>What the host tells of the machine (DEN0054, Power management).</summary>
public sealed partial class SdeiService
{
    /// <inheritdoc/>
    public SdeiState Attached(SdeiState state, MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(machine);
        var isFirst = state.Pes.Count == 0;
        for (var pe = 0; pe < state.Pes.Count; pe++)
        {
            // One that is not listed any more runs no handler.
            state = machine.IndexOf(state.Pes[pe].Core) < 0 ? Stopped(state, pe) : state;
        }

        var (privateSlots, sharedSlots) = machine.Interrupts.Count == 0 ? (0, 0) : (_events.SlotCount(EventType.Private), _events.SlotCount(EventType.Shared));
        var next = state with
        {
            Entry = EntryState.Of(machine),
            Pes = [.. machine.Cores.Select(core => state.IndexOf(core.Mpidr) is var known and >= 0 ? state.Pes[known] : new() { Core = core.Mpidr, Events = New(_events.PrivateCount) })],
            Shared = isFirst ? New(_events.SharedCount) : state.Shared,
            PrivateBindings = Kept(state.PrivateBindings, privateSlots),
            SharedBindings = Kept(state.SharedBindings, sharedSlots),
        };
        for (var pe = 0; pe < next.Pes.Count; pe++)
        {
            // The host's list wins over what was known.
            next = (next.Pes[pe].IsOn, machine.Cores[pe].Power is CorePower.On or CorePower.Suspended) switch
            {
                (false, true) => Started(next, pe),
                (true, false) => Stopped(next, pe),
                _ => next,
            };
        }

        return next;
    }

    /// <inheritdoc/>
    public SdeiState CoreChanged(SdeiState state, CoreReport report)
    {
        ArgumentNullException.ThrowIfNull(state);
        var pe = state.IndexOf(report.Core);
        return (pe, report.Change) switch
        {
            ( < 0, _) => state,
            (_, CoreChange.Started) => Started(state, pe),
            (_, CoreChange.Stopped) => Stopped(state, pe),
            (_, CoreChange.Woke) when report.HasLostContext => state.With(pe, state.Pes[pe] with { IsMasked = true }),
            _ => state,
        };
    }

    /// <inheritdoc/>
    public SdeiState NotApplied(SdeiState state, in Hypercall hypercall, in Answer answer)
    {
        ArgumentNullException.ThrowIfNull(state);
        var pe = state.IndexOf(hypercall.Core);
        if (pe < 0)
        {
            return state;
        }

        // What an older call changed stands: the one that fell back has changed nothing.
        var last = state.Pes[pe].Last is { } change && change.By == hypercall.Function && answer != Status(NotSupported) && !IsRefusal(answer) ? change : null;
        return (answer.Then, last) switch
        {
            (Effect.TakeInterrupt take, _) => _events.BoundTo(take.Intid, state) is { } bound ? Release(state, bound) : state,
            (Effect.Load, { Left: { } left }) => Resumed(state, pe, left),
            (null, { Event: { } changed }) => Unchanged(state, pe, changed, last, answer),
            (null, { WasMasked: { } wasMasked }) => state.With(pe, state.Pes[pe] with { IsMasked = wasMasked, Last = null }),
            (null, not null) => Rebound(state, last),
            _ => EndLater(state, answer.EndedInterrupts, pe),
        };
    }

    private static bool IsRefusal(in Answer answer) => (long)answer.X0 is (long)InvalidParameters or (long)Denied or (long)OutOfResource && answer.Kind == ResultKind.Status;

    // Masked, and its private events begin anew: whoever starts the core does not know the handlers of before. Triggers wait for the new ones.
    private SdeiState Started(SdeiState state, int pe)
    {
        state = Stopped(state, pe);
        state = state with { Endings = [.. state.Endings.Where(ending => ending.Core != state.Pes[pe].Core)] };
        return state.With(pe, state.Pes[pe] with { IsOn = true, Events = [.. state.Pes[pe].Events.Select(record => record.Forgotten())] });
    }

    /// <summary>Its handlers have completed. The host ends interrupts of the core itself before it starts again; shared ones are ended elsewhere.</summary>
    private SdeiState Stopped(SdeiState state, int pe)
    {
        while (state.Pes[pe].Running is { } frame)
        {
            if (_events.Interrupt(frame.Event, state) is { } intid && frame.Event.Type == EventType.Shared)
            {
                state = state.EndLater(intid, pe);
            }

            state = Completed(state, pe);
        }

        return state.With(pe, state.Pes[pe] with { IsOn = false, IsMasked = true, Last = null });
    }

    /// <summary>A handler whose COMPLETE did not happen runs on.</summary>
    private SdeiState Resumed(SdeiState state, int pe, HandlerFrame left)
    {
        var record = state.Record(left.Event, pe);
        state = state.With(left.Event, pe, record with { State = HandlerTransitions.Running(record.State) });
        return state.With(pe, state.Pes[pe].Enter(_events.Priority(left.Event), left) with { Last = null });
    }

    /// <summary>The event is as before, unless another PE has gone on from what it was made. A trigger that was dropped waits again.</summary>
    private static SdeiState Unchanged(SdeiState state, int pe, EventReference changed, Change last, in Answer answer)
    {
        var now = state.Record(changed, pe);
        if (now != last.After with { Trigger = now.Trigger })
        {
            return EndLater(state, answer.EndedInterrupts, pe);
        }

        var wasDropped = now.Trigger == 0 && last.After.Trigger == 0 && last.Before.Trigger != 0;
        state = state.With(changed, pe, last.Before with { Trigger = wasDropped ? last.Before.Trigger : now.Trigger });
        return state.With(pe, state.Pes[pe] with { Last = null }) with { Dropped = state.Dropped - (wasDropped ? 1ul : 0) };
    }

    /// <summary>Interrupts that were not returned have their events again, in the slots that are still free, and their triggers.</summary>
    private SdeiState Rebound(SdeiState state, Change last)
    {
        foreach (var (type, before) in new[] { (EventType.Private, last.PrivateBindings), (EventType.Shared, last.SharedBindings) })
        {
            for (var slot = 0; slot < Math.Min(before.Count, state.Bindings(type).Count); slot++)
            {
                if (before[slot] != SdeiState.Unbound && state.Bindings(type)[slot] == SdeiState.Unbound && _events.BoundTo(before[slot], state) is null)
                {
                    state = state.Bind(type, slot, before[slot]);
                }
            }
        }

        foreach (var waiting in last.Dropped.Span)
        {
            var record = state.Record(waiting.Event, waiting.Pe);
            if (record.Trigger == 0 && _events.Interrupt(waiting.Event, state) is not null)
            {
                state = state.With(waiting.Event, waiting.Pe, record with { Trigger = waiting.Trigger }) with { Dropped = state.Dropped - 1 };
            }
        }

        return state;
    }

    private static ValueArray<EventRecord> New(int count) => ValueArray.Of<EventRecord>(new EventRecord[count]);

    private static ValueArray<uint> Kept(ValueArray<uint> bindings, int slots) => bindings.Count == slots ? bindings : ValueArray.Of<uint>(new uint[slots]);
}

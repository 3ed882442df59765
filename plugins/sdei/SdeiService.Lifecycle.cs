using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>What the host tells of the machine (DEN0054, Power management).</summary>
public sealed partial class SdeiService
{
    private static readonly FunctionId s_register = new(0xC400_0021);
    private static readonly FunctionId s_enable = new(0xC400_0022);
    private static readonly FunctionId s_disable = new(0xC400_0023);
    private static readonly FunctionId s_unregister = new(0xC400_0027);
    private static readonly FunctionId s_routingSet = new(0xC400_002A);
    private static readonly FunctionId s_mask = new(0xC400_002B);
    private static readonly FunctionId s_unmask = new(0xC400_002C);

    /// <inheritdoc/>
    public SdeiState Attached(SdeiState state, MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(machine);
        var isFirst = state.Pes.Count == 0;
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

        state = EndLater(state, pe, answer.EndedInterrupts);
        state = answer.ReturnedInterrupts.Aggregate(state, Rebind);
        return (answer.Then, state.Pes[pe].Last) switch
        {
            (Effect.TakeInterrupt take, _) => _events.BoundTo(take.Intid, state) is { } bound ? Release(state, bound) : state,
            (Effect.Load, { Left: { } left }) => Resumed(state, pe, left),
            (null, { } last) => Undone(state, pe, last, hypercall.Function, answer),
            _ => state,
        };
    }

    // Masked, and its private events begin anew: whoever starts the core does not know the handlers of before. Triggers wait for the new ones.
    private SdeiState Started(SdeiState state, int pe)
    {
        state = Stopped(state, pe);
        return state.With(pe, state.Pes[pe] with { IsOn = true, Ending = [], Events = [.. state.Pes[pe].Events.Select(record => record.Forgotten())] });
    }

    /// <summary>Its handlers have completed. The host ends interrupts of the core itself before it starts again; shared ones are ended elsewhere.</summary>
    private SdeiState Stopped(SdeiState state, int pe)
    {
        while (state.Pes[pe].Running is { } frame)
        {
            if (_events.Interrupt(frame.Event, state) is { } intid && frame.Event.Type == EventType.Shared)
            {
                state = state with { Ending = [.. state.Ending, intid] };
            }

            state = Completed(state, pe);
        }

        return state.With(pe, state.Pes[pe] with { IsOn = false, IsMasked = true, Last = null });
    }

    /// <summary>A handler whose COMPLETE did not happen runs on.</summary>
    private SdeiState Resumed(SdeiState state, int pe, HandlerFrame left)
    {
        var record = state.Record(left.Event, pe);
        state = EndNothing(state, pe, _events.Interrupt(left.Event, state));
        state = state.With(left.Event, pe, record with { State = HandlerTransitions.Running(record.State) });
        return state.With(pe, state.Pes[pe].Enter(_events.Priority(left.Event), left) with { Last = null });
    }

    private static SdeiState EndNothing(SdeiState state, int pe, uint? intid)
    {
        state = state with { Ending = [.. state.Ending.Where(one => one != intid)] };
        return state.With(pe, state.Pes[pe] with { Ending = [.. state.Pes[pe].Ending.Where(one => one != intid)] });
    }

    /// <summary>What the guest was told to have failed has not happened, unless another PE has gone on from it. SIGNAL and the resets stand: the guest repeats them.</summary>
    private static SdeiState Undone(SdeiState state, int pe, Change last, FunctionId function, in Answer answer)
    {
        var isStatus = answer.X0 is 0 or unchecked((ulong)(long)SdeiStatus.Pending);
        var isOfEvent = function == s_register || function == s_enable || function == s_disable || function == s_unregister || function == s_routingSet;
        if (isOfEvent && isStatus && last.Event is { } changed && state.Record(changed, pe) == last.After)
        {
            state = state.With(changed, pe, last.Before with { Trigger = last.After.Trigger });
            return state.With(pe, state.Pes[pe] with { Last = null });
        }

        return function == s_mask || function == s_unmask ? state.With(pe, state.Pes[pe] with { IsMasked = last.WasMasked, Last = null }) : state;
    }

    private SdeiState Rebind(SdeiState state, uint intid)
    {
        var type = SdeiState.TypeOf(intid);
        return state.Bindings(type).Span.IndexOf(SdeiState.Unbound) is var slot and >= 0 ? state.Bind(type, slot, intid) : state;
    }

    private static ValueArray<EventRecord> New(int count) => ValueArray.Of<EventRecord>(new EventRecord[count]);

    private static ValueArray<uint> Kept(ValueArray<uint> bindings, int slots) => bindings.Count == slots ? bindings : ValueArray.Of<uint>(new uint[slots]);
}

using Hypercalls.Sdk;
using static Hypercalls.Sdei.SdeiStatus;

namespace Hypercalls.Sdei;

/// <summary>Interrupts bound to events (DEN0054, SDEI_INTERRUPT_BIND; SDEI_INTERRUPT_RELEASE).</summary>
public sealed partial class SdeiService
{
    // Below are software-generated interrupts, which are the client's own; above, what no interrupt controller offers here.
    private const uint FirstInterrupt = 16;
    private const uint LastInterrupt = 1019;

    /// <inheritdoc/>
    public bool Holds(SdeiState state, uint intid)
    {
        ArgumentNullException.ThrowIfNull(state);
        return _events.BoundTo(intid, state) is not null;
    }

    /// <summary>The interrupt is active from now on and stands for the trigger: it is kept whatever the state of the handler, until the handler has completed.</summary>
    /// <inheritdoc/>
    public SdeiState Fired(SdeiState state, Mpidr core, uint intid)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_events.BoundTo(intid, state) is not { } bound || state.IndexOf(core) is var pe && pe < 0)
        {
            return state;
        }

        // Active already, and told of again.
        var record = state.Record(bound, pe);
        var isKnown = record.Trigger != 0 || HandlerTransitions.IsRunning(record.State) || state.IsEnding(intid, pe);
        return isKnown ? state : state.Keep(bound, pe, record);
    }

    private Outcome<SdeiState> InterruptBind(in Hypercall call, SdeiState state)
    {
        if (call[1] is < FirstInterrupt or > LastInterrupt)
        {
            return Status(InvalidParameters);
        }

        var intid = (uint)call[1];
        if (state.PrivateBindings.Count + state.SharedBindings.Count == 0)
        {
            return Status(OutOfResource);
        }

        if (!call.Machine.Offers(intid))
        {
            return Status(InvalidParameters);
        }

        var type = SdeiState.TypeOf(intid);
        if (_events.BoundTo(intid, state) is { } bound)
        {
            return Answer.Value(_events.Number(bound).Value);
        }

        var slot = state.Bindings(type).Span.IndexOf(SdeiState.Unbound);
        return slot < 0
            ? Status(OutOfResource)
            : (state.Bind(type, slot, intid), Answer.Value(EventNumber.OfSlot(type, slot).Value) with { Then = new Effect.TakeInterrupt(intid, (long)Denied) });
    }

    private Outcome<SdeiState> InterruptRelease(in Hypercall call, SdeiState state)
    {
        if (Find(call[1], state) is not { } asked || _events.Interrupt(asked, state) is not { } intid)
        {
            return Status(InvalidParameters);
        }

        return IsUnregistered(state, asked)
            ? (Released(call, state, Release(state, asked), [asked]), Status(Success) with { ReturnedInterrupts = [intid] })
            : Status(Denied);
    }

    private static SdeiState Released(in Hypercall call, SdeiState before, SdeiState after, ValueArray<EventReference> released) => Remember(call, after, new(call.Function)
    {
        PrivateBindings = before.PrivateBindings,
        SharedBindings = before.SharedBindings,
        Dropped = [.. released.SelectMany(one => PlacesOf(one, before).Select(pe => new Waiting(one, pe, before.Record(one, pe).Trigger))).Where(waiting => waiting.Trigger != 0)],
    });

    private static bool IsUnregistered(SdeiState state, EventReference bound) =>
        PlacesOf(bound, state).All(pe => HandlerTransitions.Of(state.Record(bound, pe).State, HandlerStep.Release).Next is not null);

    /// <summary>Nothing is left in the slot: what waits is dropped, and what was to be ended is the guest's.</summary>
    private SdeiState Release(SdeiState state, EventReference bound)
    {
        if (_events.Interrupt(bound, state) is { } intid)
        {
            state = state.NotEnding(intid);
        }

        foreach (var pe in PlacesOf(bound, state))
        {
            state = state.Drop(bound, pe).With(bound, pe, default);
        }

        return state.Bind(bound.Type, bound.Index - _events.Slot(bound.Type, 0).Index, SdeiState.Unbound);
    }

    /// <summary>A private event has a record for every PE.</summary>
    private static IEnumerable<int> PlacesOf(EventReference one, SdeiState state) => Enumerable.Range(0, one.Type == EventType.Private ? state.Pes.Count : 1);
}

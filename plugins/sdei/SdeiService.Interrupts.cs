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

        var record = state.Record(bound, pe);
        return record.Trigger != 0 || HandlerTransitions.IsRunning(record.State) ? state : state.Keep(bound, pe, record);
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

        if (!IsOffered(intid, call.Machine))
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
            ? (Release(state, asked), Status(Success) with { ReturnedInterrupts = [intid] })
            : Status(Denied);
    }

    /// <summary>Of a private event, on every PE.</summary>
    private static bool IsUnregistered(SdeiState state, EventReference bound)
    {
        for (var pe = 0; pe < (bound.Type == EventType.Private ? state.Pes.Count : 1); pe++)
        {
            if (HandlerTransitions.Of(state.Record(bound, pe).State, HandlerStep.Release).Next is null)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Triggers that wait go with the interrupt.</summary>
    private SdeiState Release(SdeiState state, EventReference bound)
    {
        for (var pe = 0; pe < (bound.Type == EventType.Private ? state.Pes.Count : 1); pe++)
        {
            state = state.Drop(bound, pe);
        }

        return state.Bind(bound.Type, bound.Index - _events.Slot(bound.Type, 0).Index, SdeiState.Unbound);
    }

    private static bool IsOffered(uint intid, MachineDescription machine)
    {
        foreach (var range in machine.Interrupts.Span)
        {
            if (intid >= range.First && intid <= range.Last)
            {
                return true;
            }
        }

        return false;
    }
}

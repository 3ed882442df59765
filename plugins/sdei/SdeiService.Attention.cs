using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>Events on their way into the guest (DEN0054, Event dispatch; Event handler context).</summary>
public sealed partial class SdeiService
{
    /// <inheritdoc/>
    public bool WantsAttention(SdeiState state, Mpidr core)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Waiting == 0 && state.Endings.Count == 0)
        {
            return false;
        }

        var pe = state.IndexOf(core);
        return pe >= 0 && (Dispatch.Next(_events, state, pe) is not null || IsToEnd(state, pe));
    }

    /// <inheritdoc/>
    public Outcome<SdeiState> Attend(SdeiState state, AttentionExit stopped)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(stopped);
        var pe = state.IndexOf(stopped.Core);
        if (pe < 0)
        {
            return Answer.NoResults;
        }

        var answer = Answer.NoResults;
        if (state.Endings.Count > 0)
        {
            var here = state.Endings.ToLookup(ending => ending.Core is null || ending.Core == stopped.Core);
            answer = answer with { EndedInterrupts = [.. here[true].Select(ending => ending.Intid)] };
            state = state with { Endings = [.. here[false]] };
        }

        return Dispatch.Next(_events, state, pe) is { } next
            ? (Enter(state, pe, next, stopped.Registers, out var load), answer with { Then = load })
            : (state, answer);
    }

    /// <summary>The handler was not entered: the trigger waits again, at its old place. Interrupts that were to end are ended the next time.</summary>
    /// <inheritdoc/>
    public SdeiState NotApplied(SdeiState state, AttentionExit stopped, in Answer answer)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(stopped);
        var pe = state.IndexOf(stopped.Core);
        if (pe < 0)
        {
            return state;
        }

        state = EndLater(state, answer.EndedInterrupts, pe);
        if (answer.Then is not Effect.Load || state.Pes[pe].Running is not { } frame)
        {
            return state;
        }

        state = Completed(state, pe);
        var record = state.Record(frame.Event, pe);
        return HandlerTransitions.KeepsTriggers(record.State) || _events.Interrupt(frame.Event, state) is not null
            ? state.With(frame.Event, pe, record with { Trigger = frame.Trigger })
            : state with { Dropped = state.Dropped + 1 };
    }

    private SdeiState Enter(SdeiState state, int pe, EventReference entered, RegisterFile interrupted, out Effect.Load load)
    {
        var record = state.Record(entered, pe);
        var frame = new HandlerFrame(entered, [.. interrupted.X.Span[..SavedRegisters]], interrupted.Pc, interrupted.Pstate, record.Trigger);
        load = new()
        {
            Registers = [new(0, _events.Number(entered).Value), new(1, record.Argument), new(2, interrupted.Pc), new(3, interrupted.Pstate.Value)],
            // VBAR as it is now: when it is read is not said (DEN0054, SDEI_EVENT_REGISTER).
            Pc = unchecked(record.EntryPoint + (record.IsRelative ? interrupted.VbarElc : 0)),
            Pstate = state.Entry.Enter(interrupted.Pstate, interrupted.SctlrElc),
        };
        var next = HandlerTransitions.Of(record.State, HandlerStep.Dispatch).Next ?? record.State;
        state = state.With(entered, pe, record with { State = next, Trigger = 0 });
        return state.With(pe, state.Pes[pe].Enter(_events.Priority(entered), frame));
    }

    /// <summary>A private interrupt at its own PE, a shared one at the first PE that is on.</summary>
    private static bool IsToEnd(SdeiState state, int pe)
    {
        if (!state.Pes[pe].IsOn)
        {
            return false;
        }

        foreach (var ending in state.Endings.Span)
        {
            if (ending.Core == state.Pes[pe].Core || (ending.Core is null && state.Pes.Take(pe).All(lower => !lower.IsOn)))
            {
                return true;
            }
        }

        return false;
    }

    private static SdeiState EndLater(SdeiState state, ValueArray<uint> interrupts, int pe) =>
        interrupts.Aggregate(state, (next, intid) => next.EndLater(intid, pe));
}

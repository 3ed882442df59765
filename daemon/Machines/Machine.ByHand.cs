using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>Calls made by hand on a machine that runs.</summary>
internal sealed partial class Machine
{
    /// <summary>A call made by hand. Its effect, where one is allowed, leaves with the next attention exit of the calling core.</summary>
    /// <returns>What the function lacks or does before it answers, too: nothing is changed then.</returns>
    /// <exception cref="OutOfOrderException">It would have an effect, or act on an interrupt, and none is allowed or none can be carried out.</exception>
    public Served CallByHand(CoreSlot core, in Hypercall call, bool apply, Continuation? continuation = null)
    {
        try
        {
            if (!TryTakeTurn(_clock.GetTimestamp()))
            {
                throw new OutOfOrderException(Busy);
            }

            CheckIsCurrent(core);
            Serve(call, out var served, continuation);
            if (served.Need is not null || served.Work is not null)
            {
                return served;
            }

            if (served.Answer is { Then: Effect.TakeInterrupt } or { EndedInterrupts.Count: > 0 } or { ReturnedInterrupts.Count: > 0 })
            {
                // No attention exit could say that the host refuses, and the core might go off before its next one.
                throw new OutOfOrderException($"The call would {served.EffectText()} on {Name}, which only the guest's own call can; nothing was changed.");
            }

            if (served.Answer.Then is { } effect)
            {
                CheckByHand(core, effect, apply);
                core.Queued.Enqueue(effect);
            }

            if (served.Failure is { } failure)
            {
                Fault(failure);
            }

            Calls++;
            Advance(served);
            TellAttention();
            return served;
        }
        finally
        {
            EndTurn();
        }
    }

    private void CheckByHand(CoreSlot core, Effect effect, bool apply)
    {
        if (!apply)
        {
            throw new OutOfOrderException($"The call would {effect} on {Name}; nothing was changed. Allow it with apply.");
        }

        if (core.Power is not (CorePower.On or CorePower.Suspended) || _toHost is null)
        {
            throw new OutOfOrderException($"Core {core.Mpidr} of {Name} does not run, so nothing can {effect} there; nothing was changed.");
        }

        if (core.Queued.Count >= CoreSlot.MostQueued)
        {
            throw new OutOfOrderException($"{core.Queued.Count} effects wait for core {core.Mpidr} of {Name} already; nothing was changed.");
        }
    }
}

using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Dispatch;

/// <summary>From an exit to its answer: clock and randomness go in, the answer and a record come out.</summary>
internal sealed class Dispatcher(CallJournal journal, TimeProvider clock)
{
    private readonly DateTimeOffset _began = clock.GetUtcNow();
    private readonly long _beganAt = clock.GetTimestamp();

    /// <summary>Serves a hypercall exit of a core.</summary>
    /// <returns>An answer, or an <see cref="AnsweredExit.Unfinished"/> call, to be gone on with.</returns>
    public AnsweredExit Hypercall(Machine machine, CoreSlot core, in ExitHead head, in CallSource source) =>
        Serve(machine, core, head, Call(machine, core.Mpidr, source), source.Immediate, source.Received, out _);

    /// <summary>The host has supplied what the function asked for: it is called again.</summary>
    public AnsweredExit GoOn(Machine machine, CoreSlot core, in ExitHead head, UnfinishedCall unfinished, Supply supply) =>
        Serve(machine, core, head, unfinished.Call.With(supply), ImmediateOf(unfinished), unfinished.Received, out _);

    /// <summary>A long function has ended, or the host cannot supply what the function asked for.</summary>
    public AnsweredExit GoOn(Machine machine, CoreSlot core, in ExitHead head, UnfinishedCall unfinished, Continuation continuation) =>
        Serve(machine, core, head, unfinished.Call, ImmediateOf(unfinished), unfinished.Received, out _, continuation);

    /// <summary>Serves a call made by hand. It has no guest that could be asked for memory or registers.</summary>
    public Served CallByHand(Machine machine, CoreSlot core, in CallSource source, bool apply)
    {
        var call = Call(machine, core.Mpidr, source);
        var served = machine.CallByHand(core, call, apply);
        if (served.Need is not null)
        {
            throw new OutOfOrderException($"{served.Function!.Name} asks its caller for memory or registers, which only the guest's own call can supply; nothing was changed. On a scratch machine they are zero.");
        }

        if (served.Work is not null)
        {
            served = machine.CallByHand(core, call, apply, Worked(machine, call, served));
        }

        if (journal.IsWatched)
        {
            journal.Add(new(call.Now, machine.Name, core.Mpidr, core.Number, source.Immediate, call, served, default, clock.GetElapsedTime(source.Received), false, "by hand"));
        }

        return served;
    }

    /// <summary>Serves a call on a machine that nobody else sees, whose memory and registers are zero: its effect is shown and goes nowhere.</summary>
    public Served OnScratch(Machine machine, CoreSlot core, in CallSource source)
    {
        var head = new ExitHead(1, 1, null);
        var call = Call(machine, core.Mpidr, source);
        Continuation? continuation = null;
        while (true)
        {
            var answered = Serve(machine, core, head, call, source.Immediate, source.Received, out var served, continuation);
            switch (answered.Unfinished?.Served)
            {
                case null:
                    return !answered.IsNotServed ? served : throw new OutOfOrderException("The service did not answer before its deadline.");
                case { Need: { } need }:
                    call = call.With(need.Unused(call));
                    break;
                case var unfinished:
                    continuation = Worked(machine, call, unfinished.Value);
                    break;
            }
        }
    }

    private static Continuation.Finished Worked(Machine machine, in Hypercall call, in Served served)
    {
        using var late = new CancellationTokenSource(machine.Deadline);
        return new(ServiceSet.Run(call, served, late.Token));
    }

    // The immediate of a call that is served is known, or counts as 0.
    private static ushort? ImmediateOf(UnfinishedCall unfinished) => unfinished.Call.Immediate;

    private AnsweredExit Serve(
        Machine machine, CoreSlot core, in ExitHead head, in Hypercall call, ushort? immediate, long received, out Served served, Continuation? continuation = null)
    {
        var answered = machine.Hypercall(core, head, call, received, out served, continuation);
        if (journal.IsWatched && answered.Unfinished is null)
        {
            var shown = served.State is null ? new(null!, answered.Answer, null, null, null) : served;
            journal.Add(new(call.Now, machine.Name, core.Mpidr, core.Number, immediate, call, shown, head, clock.GetElapsedTime(received), answered.IsNotServed, answered.Note));
        }

        return answered;
    }

    private Hypercall Call(Machine machine, Mpidr core, in CallSource source)
    {
        return new()
        {
            Function = new((uint)source.Registers[0]),
            Conduit = source.Conduit,
            Immediate = source.Immediate ?? 0,
            Core = core,
            Pstate = source.Pstate,
            Machine = machine.Description,
            // By the same look at the clock as the deadline.
            Now = _began + clock.GetElapsedTime(_beganAt, source.Received),
            Random = Randomness.Next(),
            Served = machine.Served.To(source.Conduit, source.Pstate.IsAArch32),
            Registers = source.Registers,
            Supplied = source.Supplied,
        };
    }
}

/// <summary>What a host sends of a hypercall.</summary>
/// <param name="Conduit">SMC or HVC.</param>
/// <param name="Immediate">Null where the host could not know it.</param>
/// <param name="Registers">x0 to x17, raw.</param>
/// <param name="Supplied">Which of them the host sent.</param>
/// <param name="Pstate">The caller's.</param>
/// <param name="Received">When, by the clock's timestamp.</param>
internal readonly record struct CallSource(Conduit Conduit, ushort? Immediate, CallRegisters Registers, uint Supplied, Pstate Pstate, long Received);

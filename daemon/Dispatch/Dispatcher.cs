using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Dispatch;

/// <summary>From an exit to its answer: clock and randomness go in, the answer and a record come out.</summary>
internal sealed class Dispatcher(CallJournal journal, TimeProvider clock)
{
    /// <summary>Serves a hypercall exit of a core.</summary>
    public AnsweredExit Hypercall(Machine machine, CoreSlot core, in ExitHead head, in CallSource source) =>
        Serve(machine, core, head, source).Answered;

    /// <summary>Serves a call made by hand.</summary>
    public Served CallByHand(Machine machine, CoreSlot core, in CallSource source, bool apply)
    {
        var call = Call(machine, core.Mpidr, source);
        var served = machine.CallByHand(core, call, apply);
        if (journal.IsWatched)
        {
            journal.Add(new(call.Now, machine.Name, core.Mpidr, core.Number, source.Immediate, call, served, default, clock.GetElapsedTime(source.Received), false, "by hand"));
        }

        return served;
    }

    /// <summary>Serves a call on a machine that nobody else sees: its effect is shown and goes nowhere.</summary>
    public Served OnScratch(Machine machine, CoreSlot core, in CallSource source) =>
        Serve(machine, core, new(1, 1, null), source).Served
        ?? throw new OutOfOrderException("The service did not answer before its deadline.");

    private (AnsweredExit Answered, Served? Served) Serve(Machine machine, CoreSlot core, in ExitHead head, in CallSource source)
    {
        var call = Call(machine, core.Mpidr, source);
        var (answered, served, fellBack) = machine.Hypercall(core, head, call, source.Received);
        if (journal.IsWatched)
        {
            var shown = served ?? new(null!, answered.Answer, null, null, null);
            journal.Add(new(call.Now, machine.Name, core.Mpidr, core.Number, source.Immediate, call, shown, head, clock.GetElapsedTime(source.Received), fellBack, answered.Note));
        }

        return (answered, served);
    }

    private Hypercall Call(Machine machine, Mpidr core, in CallSource source)
    {
        ulong random = 0;
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(new Span<ulong>(ref random)));
        return new()
        {
            Function = new((uint)source.Registers[0]),
            Conduit = source.Conduit,
            Immediate = source.Immediate ?? 0,
            Core = core,
            Pstate = source.Pstate,
            Machine = machine.Description,
            Now = clock.GetUtcNow(),
            Random = random,
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

namespace Hypercalls.Sdk;

/// <summary>What an answer must look like to be carried out. An answer that does not is a fault of its service.</summary>
internal static class AnswerShape
{
    private const int SystemEventData = 16;
    private const int LastOfSmc32 = 7;
    private const int LinkRegister = 30;
    private const int EventsRaised = 16;

    // PPIs and SPIs.
    private const uint FirstInterrupt = 16;
    private const uint LastInterrupt = 1019;

    /// <summary>Throws where a host could not carry the answer out.</summary>
    /// <param name="answer">As the service gave it.</param>
    /// <param name="call">What it answers.</param>
    /// <exception cref="InvalidOperationException">Says what is wrong.</exception>
    public static void Check(in Answer answer, in Hypercall call)
    {
        // A claimed immediate is no SMCCC call: its w0 says nothing about widths.
        CheckRegisters(answer, call.Function.IsSmc64 || call.Immediate != 0 ? CallRegisters.Count - 1 : LastOfSmc32);
        var machine = call.Machine;
        switch (answer.Then)
        {
            case Effect.PowerOn on when machine.IndexOf(on.Core) < 0:
                throw new InvalidOperationException($"The answer starts {on.Core}, which is no core of {machine.Name}.");
            case Effect.SystemEvent system when system.Data.Count > SystemEventData:
                throw new InvalidOperationException($"The answer gives {system.Data.Count} values with a system event; {SystemEventData} fit.");
            case Effect.TakeInterrupt take when !machine.Offers(take.Intid):
                throw new InvalidOperationException($"The answer takes interrupt {take.Intid}, which the host of {machine.Name} does not offer.");
        }

        CheckInterrupts(answer);
        foreach (var write in answer.Writes.Span)
        {
            if (write.Data.Count > 0 && !GuestRange.TryCreate(machine, write.Base, (ulong)write.Data.Count, out _))
            {
                throw new InvalidOperationException($"The answer writes {write.Data.Count} bytes at 0x{write.Base:x}, which is not all RAM of {machine.Name}, or more than {GuestRange.MostBytes}.");
            }
        }

        if (answer.Raises.Count > EventsRaised)
        {
            throw new InvalidOperationException($"The answer raises {answer.Raises.Count} events; {EventsRaised} are the most.");
        }
    }

    /// <summary>Throws where a host could not carry out the answer of a stopped core.</summary>
    /// <param name="answer">As the service gave it.</param>
    /// <param name="more">What the service gave in place of an answer.</param>
    /// <exception cref="InvalidOperationException">Says what is wrong.</exception>
    public static void CheckAttention(in Answer answer, object? more)
    {
        if (more is not null || answer.Raises.Count > 0)
        {
            throw new InvalidOperationException("The answer of a stopped core asks the host for nothing, begins nothing long and raises no event.");
        }

        CheckRegisters(answer, CallRegisters.Count - 1);
        CheckInterrupts(answer);
        if (answer.Then is Effect.TakeInterrupt take)
        {
            // Where the host refuses, the caller gets a status: a stopped core is no caller.
            throw new InvalidOperationException($"The answer takes interrupt {take.Intid}; only the answer of a call can.");
        }
    }

    private static void CheckInterrupts(in Answer answer)
    {
        CheckInterrupts(answer.EndedInterrupts, "ends");
        CheckInterrupts(answer.ReturnedInterrupts, "returns");
    }

    private static void CheckInterrupts(ValueArray<uint> interrupts, string what)
    {
        foreach (var intid in interrupts.Span)
        {
            if (intid is < FirstInterrupt or > LastInterrupt)
            {
                throw new InvalidOperationException($"The answer {what} interrupt {intid}; {FirstInterrupt} to {LastInterrupt} can be taken.");
            }
        }
    }

    private static void CheckRegisters(in Answer answer, int last)
    {
        CheckRegisters(answer.Beyond, 4, last);
        if (answer.Then is Effect.Load load)
        {
            CheckRegisters(load.Registers, 0, LinkRegister);
        }
    }

    private static void CheckRegisters(ValueArray<RegisterValue> registers, int first, int last)
    {
        var seen = 0u;
        foreach (var register in registers.Span)
        {
            if (register.Index < first || register.Index > last)
            {
                throw new InvalidOperationException($"The answer sets x{register.Index}; x{first} to x{last} can be set here.");
            }

            if ((seen >> register.Index & 1) != 0)
            {
                throw new InvalidOperationException($"The answer sets x{register.Index} twice.");
            }

            seen |= 1u << register.Index;
        }
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Hypercalls.Hosts;

namespace Hypercalls.Qemu.Monitor;

/// <summary>One vCPU's mailbox page. All but <see cref="Request"/> belongs to the thread that owns the vCPU.</summary>
internal sealed unsafe class Mailbox(GuestRam ram, int number, GuestKind kind)
{
    private readonly byte* _page = ram.At(ram.MailboxArea + (ulong)(MailboxLayout.Pages + (number * MailboxLayout.PageSize)), MailboxLayout.PageSize);

    /// <summary>The number of the last exit the monitor has published.</summary>
    public uint Request => Volatile.Read(ref Word(MailboxLayout.Req));

    /// <summary>The number of the last exit that was answered.</summary>
    public uint Response => Volatile.Read(ref Word(MailboxLayout.Rsp));

    /// <summary>What is prepared makes it sleep.</summary>
    public bool IsToWait => Word(MailboxLayout.Command) == MailboxLayout.CommandWait;

    public ulong Mpidr => Long(MailboxLayout.Mpidr);

    /// <summary>A kick that the monitor has not taken yet.</summary>
    public bool KickIsPending => Volatile.Read(ref Word(MailboxLayout.Kick)) != 0;

    /// <summary>Copies the last exit; false while a reset is writing the next one over it.</summary>
    public bool TryRead([NotNullWhen(true)] out MonitorExit? exit)
    {
        var request = Request;
        var registers = new GuestRegisters(kind);
        new ReadOnlySpan<ulong>(_page + MailboxLayout.ExitFrame, registers.Words.Length).CopyTo(registers.Words);
        registers.Narrow();
        exit = new()
        {
            Request = request,
            Reason = Word(MailboxLayout.Reason),
            Boot = Word(MailboxLayout.Boot),
            Cause = Word(MailboxLayout.Cause),
            Esr = Long(MailboxLayout.Esr),
            Far = Long(MailboxLayout.Far),
            Detail = Long(MailboxLayout.Detail),
            Mpidr = Long(MailboxLayout.Mpidr),
            Registers = registers,
        };
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref Word(MailboxLayout.Sequence)) == request)
        {
            return true;
        }
        exit = null;
        return false;
    }

    /// <summary>Of a BOOT exit.</summary>
    public ulong[] ReadIdentity() => new ReadOnlySpan<ulong>(_page + MailboxLayout.Identity, MailboxLayout.IdentityCount).ToArray();

    /// <summary>Writes what the vCPU will have; it sees nothing of it before <see cref="Release"/>.</summary>
    public void Prepare(uint command, bool loadSystem, GuestRegisters registers)
    {
        registers.Narrow();
        registers.Words.CopyTo(new Span<ulong>(_page + MailboxLayout.AnswerFrame, registers.Words.Length));
        Word(MailboxLayout.Command) = command;
        Word(MailboxLayout.LoadSystem) = loadSystem ? 1u : 0u;
    }

    /// <summary>Changes x0 of what is prepared.</summary>
    public void PrepareX0(ulong value)
    {
        var registers = new GuestRegisters(kind);
        var frame = new Span<ulong>(_page + MailboxLayout.AnswerFrame, registers.Words.Length);
        frame.CopyTo(registers.Words);
        registers.General[0] = value;
        registers.Narrow();
        registers.Words.CopyTo(frame);
    }

    /// <summary>What the answer to an exit does with interrupts: one to be taken, 0 for none, with x0 where it cannot be; those that end; those that are the guest's again.</summary>
    public void PrepareInterrupts(uint request, uint take = 0, ulong takeRefused = 0, IReadOnlyCollection<uint>? ended = null, IReadOnlyCollection<uint>? returned = null)
    {
        Word(MailboxLayout.Interrupts) = 0;
        Word(MailboxLayout.Take) = take;
        Long(MailboxLayout.TakeRefused) = takeRefused;
        Ended.Become(ended ?? []);
        Returned.Become(returned ?? []);
        Word(MailboxLayout.Interrupts) = take != 0 || ended is { Count: > 0 } || returned is { Count: > 0 } ? request : 0u;
    }

    /// <summary>Those that end with what is prepared.</summary>
    public InterruptSet Ended { get; } = new(ram, number, MailboxLayout.Ended);

    /// <summary>Those that go back to the guest with what is prepared.</summary>
    public InterruptSet Returned { get; } = new(ram, number, MailboxLayout.Returned);

    /// <summary>The monitor could not take the interrupt that the answer to this exit was to take; null while it has not looked.</summary>
    public bool? IsTakeRefused(uint request)
    {
        var outcome = Volatile.Read(ref Long(MailboxLayout.TakeOutcome));
        return (uint)(outcome >> 32) == request ? (uint)outcome == MailboxLayout.Refused : null;
    }

    /// <summary>The interrupt that stopped the vCPU; null where its exit has another reason, or names one that cannot be.</summary>
    public uint? Interrupt
    {
        get
        {
            // Read once: the guest may change it meanwhile.
            var intid = Volatile.Read(ref Word(MailboxLayout.Cause));
            return Word(MailboxLayout.Reason) == MailboxLayout.ReasonInterrupt && OfferedInterrupts.Contain(intid) ? intid : null;
        }
    }

    /// <summary>The exit is the guest's own call.</summary>
    public bool IsCall => Word(MailboxLayout.Reason) is MailboxLayout.ReasonEl3 or MailboxLayout.ReasonEl2;

    /// <summary>An exit that this host asked for tells of an interrupt again: kept where it stands, so that every host process tells of the same.</summary>
    public void Tell(uint intid)
    {
        Word(MailboxLayout.Cause) = intid;
        Volatile.Write(ref Word(MailboxLayout.Reason), MailboxLayout.ReasonInterrupt);
    }

    /// <summary>The exit is that of a power-off, and stays unanswered; true when the door must be rung for the vCPU to see it.</summary>
    public bool TurnOff()
    {
        Volatile.Write(ref Word(MailboxLayout.IsOff), 1);
        Interlocked.MemoryBarrier();
        return Rouse();
    }

    /// <summary>Answers an exit with what is prepared; true when the vCPU may be asleep and the door must be rung.</summary>
    public bool Release(uint request)
    {
        Volatile.Write(ref Word(MailboxLayout.Rsp), request);
        // RSP before SLEEP: the monitor writes SLEEP, fences, reads RSP. One of the two sees the other.
        Interlocked.MemoryBarrier();
        return Rouse();
    }

    /// <summary>Wakes a vCPU whose exit is answered; true when it may be asleep and the door must be rung.</summary>
    public bool Rouse()
    {
        if (Volatile.Read(ref Word(MailboxLayout.Sleep)) == 0)
        {
            return false;
        }
        Volatile.Write(ref Word(MailboxLayout.Wake), 1);
        Interlocked.MemoryBarrier();
        return true;
    }

    /// <summary>Asks the monitor for an exit; it looks when the door rings and before it returns to the guest.</summary>
    public void Kick()
    {
        Volatile.Write(ref Word(MailboxLayout.Kick), 1);
        Interlocked.MemoryBarrier();
    }

    private ref uint Word(int offset) => ref Unsafe.AsRef<uint>(_page + offset);

    private ref ulong Long(int offset) => ref Unsafe.AsRef<ulong>(_page + offset);
}

using Hypercalls.Hosts;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;

namespace Hypercalls.Qemu.Monitor;

/// <summary>A frame of the mailbox: x0 to x30, PC, PSTATE and the system registers that an answer may load. ELc is the exception level of the guest's kind.</summary>
internal sealed class GuestRegisters(GuestKind kind) : IGuestRegisters
{
    public const int GeneralCount = AnswerRules.GeneralRegisters;

    // Registers that AArch32 user mode can reach; those above are banked ones of EL1, or AArch64's own.
    private const int UserCount = 15;

    // Out of reset: MMU and caches off, little-endian.
    private const ulong SctlrEl1Reset = 0x30d0_0800;
    private const ulong SctlrEl2Reset = 0x30c5_0830;
    private const ulong SctlrAArch32Reset = 0x00c5_0838;
    private const ulong SctlrEe = 1 << 25;

    // At the guest's level with all that can be masked masked (DEN0022, CPU_ON): EL1h, EL2h, svc.
    private const ulong PstateEl1h = 0x3c5;
    private const ulong PstateEl2h = 0x3c9;
    private const ulong PstateSvc = 0x1d3;
    private const ulong PstateAArch32 = 1 << 4;
    private const ulong PstateT = 1 << 5;
    private const ulong PstateE = 1 << 9;

    private const ulong HcrRw = 1ul << 31;
    private const ulong ScrRw = 1 << 10;

    // FGTEn and FGTEn2, RES0 where there is nothing to enable.
    private const ulong ScrFineGrainedTraps = 1ul << 27 | 1ul << 59;

    private readonly ulong[] _words = new ulong[MailboxLayout.FrameSize / 8];

    public GuestKind Kind { get; } = kind;

    public Span<ulong> Words => _words;

    public Span<ulong> General => _words.AsSpan(0, GeneralCount);

    public ulong Pc { get => Word(MailboxLayout.FramePc); set => Word(MailboxLayout.FramePc) = value; }

    public ulong Pstate { get => Word(MailboxLayout.FramePstate); set => Word(MailboxLayout.FramePstate) = value; }

    public ulong SpEl0 { get => Word(MailboxLayout.FrameSpEl0); set => Word(MailboxLayout.FrameSpEl0) = value; }

    public ulong SpEl1 { get => Word(MailboxLayout.FrameSpEl1); set => Word(MailboxLayout.FrameSpEl1) = value; }

    public ulong Elr
    {
        get => Client(MailboxLayout.FrameElrEl1, MailboxLayout.FrameElrEl2);
        set => Client(MailboxLayout.FrameElrEl1, MailboxLayout.FrameElrEl2) = value;
    }

    public ulong Spsr
    {
        get => Client(MailboxLayout.FrameSpsrEl1, MailboxLayout.FrameSpsrEl2);
        set => Client(MailboxLayout.FrameSpsrEl1, MailboxLayout.FrameSpsrEl2) = value;
    }

    public ulong Vbar
    {
        get => Client(MailboxLayout.FrameVbarEl1, MailboxLayout.FrameVbarEl2);
        set => Client(MailboxLayout.FrameVbarEl1, MailboxLayout.FrameVbarEl2) = value;
    }

    public ulong Sctlr
    {
        get => Client(MailboxLayout.FrameSctlrEl1, MailboxLayout.FrameSctlrEl2);
        set => Client(MailboxLayout.FrameSctlrEl1, MailboxLayout.FrameSctlrEl2) = value;
    }

    public ulong GetGeneral(int index) => General[index];

    public void SetGeneral(int index, ulong value) => General[index] = value;

    public ulong? GetSystem(SystemRegister register) => register switch
    {
        SystemRegister.SpEl0 => SpEl0,
        SystemRegister.SpEl1 => SpEl1,
        SystemRegister.ElrElc => Elr,
        SystemRegister.SpsrElc => Spsr,
        SystemRegister.VbarElc => Vbar,
        SystemRegister.SctlrElc => Sctlr,
        _ => null,
    };

    public void SetSystem(SystemRegister register, ulong value)
    {
        switch (register)
        {
            case SystemRegister.SpEl0:
                SpEl0 = value;
                break;
            case SystemRegister.SpEl1:
                SpEl1 = value;
                break;
            case SystemRegister.ElrElc:
                Elr = value;
                break;
            case SystemRegister.SpsrElc:
                Spsr = value;
                break;
            case SystemRegister.VbarElc:
                Vbar = value;
                break;
            case SystemRegister.SctlrElc:
                Sctlr = value;
                break;
        }
    }

    /// <summary>What a core has that is started from here.</summary>
    public Endianness Endianness => new((Sctlr & SctlrEe) != 0, Kind.IsAArch32 && (Pstate & PstateE) != 0);

    // RES1 bits tell it from the zero that the monitor reads where there is no EL2.
    private bool HasEl2 => Word(MailboxLayout.FrameSctlrEl2) != 0;

    public GuestRegisters Copy()
    {
        var copy = new GuestRegisters(Kind);
        _words.CopyTo(copy._words, 0);
        return copy;
    }

    /// <summary>The state of a core that starts (DEN0022, CPU_ON): nothing of its former life remains.</summary>
    public void Enter(CoreStart start)
    {
        General.Clear();
        General[0] = start.ContextId;
        General[1] = start.R1;
        General[2] = start.R2;
        SpEl0 = SpEl1 = 0;
        EnterEl1();
        if (Kind.ClientEl == 2)
        {
            EnterEl2();
        }
        Sctlr |= start.Endianness.Exceptions ? SctlrEe : 0;
        if (Kind.IsAArch32)
        {
            Pc = start.EntryPoint & ~1ul;
            Pstate = PstateSvc | ((start.EntryPoint & 1) != 0 ? PstateT : 0) | (start.Endianness.Data ? PstateE : 0);
        }
        else
        {
            Pc = start.EntryPoint;
            Pstate = Kind.ClientEl == 2 ? PstateEl2h : PstateEl1h;
        }
    }

    /// <summary>Drops what AArch32 has not: upper halves, where the PSTATE here is one of it.</summary>
    public void Narrow()
    {
        if ((Pstate & PstateAArch32) == 0)
        {
            return;
        }
        // Below an AArch64 kernel x15 to x30 keep that kernel's values whole.
        foreach (ref var register in General[..(Kind.IsAArch32 ? GeneralCount : UserCount)])
        {
            register = (uint)register;
        }
        Pc = (uint)Pc;
    }

    public RegisterFile ToWire() => new()
    {
        X = { General.ToArray() },
        Pc = Pc,
        Pstate = Pstate,
        SpEl0 = SpEl0,
        SpEl1 = SpEl1,
        ElrElc = Elr,
        SpsrElc = Spsr,
        VbarElc = Vbar,
        SctlrElc = Sctlr,
    };

    private void EnterEl1()
    {
        Word(MailboxLayout.FrameElrEl1) = Word(MailboxLayout.FrameSpsrEl1) = Word(MailboxLayout.FrameVbarEl1) = 0;
        Word(MailboxLayout.FrameSctlrEl1) = Kind.IsAArch32 ? SctlrAArch32Reset : SctlrEl1Reset;
        if (!Kind.IsAArch32)
        {
            return;
        }
        if (HasEl2)
        {
            Word(MailboxLayout.FrameHcrEl2) &= ~HcrRw;
        }
        else
        {
            Word(MailboxLayout.FrameScrEl3) &= ~ScrRw;
        }
    }

    private void EnterEl2()
    {
        Word(MailboxLayout.FrameElrEl2) = Word(MailboxLayout.FrameSpsrEl2) = Word(MailboxLayout.FrameVbarEl2) = 0;
        Word(MailboxLayout.FrameSctlrEl2) = SctlrEl2Reset;
        Word(MailboxLayout.FrameHcrEl2) = HcrRw;
        Word(MailboxLayout.FrameScrEl3) |= ScrFineGrainedTraps;
    }

    private ref ulong Client(int el1, int el2) => ref Word(Kind.ClientEl == 2 ? el2 : el1);

    private ref ulong Word(int offset) => ref _words[offset / 8];
}

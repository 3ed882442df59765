using Hypercalls.Protos;

namespace Hypercalls.Qemu.Monitor;

/// <summary>A frame of the mailbox: x0 to x30, PC, PSTATE and the system registers that an answer may load.</summary>
internal sealed class GuestRegisters
{
    public const int GeneralCount = 31;

    /// <summary>SCTLR_EL1 out of reset: MMU and caches off, little-endian.</summary>
    public const ulong SctlrReset = 0x30d0_0800;

    /// <summary>SCTLR_ELx.EE: data accesses at this level are big-endian.</summary>
    public const ulong SctlrBigEndian = 1 << 25;

    /// <summary>EL1h with D, A, I and F masked (DEN0022, CPU_ON).</summary>
    public const ulong PstateEntry = 0x3c5;

    private readonly ulong[] _words = new ulong[MailboxLayout.FrameSize / 8];

    public Span<ulong> Words => _words;

    public Span<ulong> General => _words.AsSpan(0, GeneralCount);

    public ulong Pc { get => _words[MailboxLayout.FramePc / 8]; set => _words[MailboxLayout.FramePc / 8] = value; }

    public ulong Pstate { get => _words[MailboxLayout.FramePstate / 8]; set => _words[MailboxLayout.FramePstate / 8] = value; }

    public ulong SpEl0 { get => _words[MailboxLayout.FrameSpEl0 / 8]; set => _words[MailboxLayout.FrameSpEl0 / 8] = value; }

    public ulong SpEl1 { get => _words[MailboxLayout.FrameSpEl1 / 8]; set => _words[MailboxLayout.FrameSpEl1 / 8] = value; }

    public ulong Elr { get => _words[MailboxLayout.FrameElrEl1 / 8]; set => _words[MailboxLayout.FrameElrEl1 / 8] = value; }

    public ulong Spsr { get => _words[MailboxLayout.FrameSpsrEl1 / 8]; set => _words[MailboxLayout.FrameSpsrEl1 / 8] = value; }

    public ulong Vbar { get => _words[MailboxLayout.FrameVbarEl1 / 8]; set => _words[MailboxLayout.FrameVbarEl1 / 8] = value; }

    public ulong Sctlr { get => _words[MailboxLayout.FrameSctlrEl1 / 8]; set => _words[MailboxLayout.FrameSctlrEl1 / 8] = value; }

    public bool IsBigEndian => (Sctlr & SctlrBigEndian) != 0;

    public GuestRegisters Copy()
    {
        var copy = new GuestRegisters();
        _words.CopyTo(copy._words, 0);
        return copy;
    }

    /// <summary>The state of a core that starts (DEN0022, CPU_ON): x0 is the context ID, nothing of its former life remains.</summary>
    public void Enter(ulong entryPoint, ulong contextId, bool bigEndian)
    {
        General.Clear();
        General[0] = contextId;
        Pc = entryPoint;
        Pstate = PstateEntry;
        SpEl0 = SpEl1 = Elr = Spsr = Vbar = 0;
        Sctlr = SctlrReset | (bigEndian ? SctlrBigEndian : 0);
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
}

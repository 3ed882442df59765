namespace Hypercalls.Qemu.Monitor;

/// <summary>An exit as the monitor wrote it, copied out of guest RAM once. Every field is the guest's to forge.</summary>
internal sealed record MonitorExit
{
    /// <summary>The mailbox's request number: an answer names it.</summary>
    public required uint Request { get; init; }

    public required uint Reason { get; init; }

    public required uint Boot { get; init; }

    public required uint Cause { get; init; }

    public required ulong Esr { get; init; }

    public required ulong Far { get; init; }

    public required ulong Detail { get; init; }

    public required ulong Mpidr { get; init; }

    public required GuestRegisters Registers { get; init; }

    /// <summary>ESR_ELx.EC.</summary>
    public uint ExceptionClass => (uint)(Esr >> 26) & 0x3f;

    /// <summary>ESR_ELx.ISS of HVC, and of SMC in AArch64.</summary>
    public uint Immediate => (uint)Esr & 0xffff;

    public string Describe() =>
        $"reason {Reason}, cause {Cause}, ESR 0x{Esr:x}, PC 0x{Registers.Pc:x}, PSTATE 0x{Registers.Pstate:x}, FAR 0x{Far:x}, "
        + $"x0 0x{Registers.General[0]:x}, x30 0x{Registers.General[30]:x}";
}

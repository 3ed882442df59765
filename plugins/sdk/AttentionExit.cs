namespace Hypercalls.Sdk;

/// <summary>A core that was stopped on request, with its registers.</summary>
/// <param name="Core">Which.</param>
/// <param name="Registers">As interrupted.</param>
/// <param name="Intid">The taken interrupt that fired and stopped it; null where the daemon asked.</param>
/// <param name="Now">When.</param>
public sealed record AttentionExit(Mpidr Core, RegisterFile Registers, uint? Intid, DateTimeOffset Now);

/// <summary>The registers of a stopped core; ELc is the machine's client EL.</summary>
public sealed record RegisterFile
{
    /// <summary>x0 to x30: 31 values.</summary>
    public required ValueArray<ulong> X { get; init; }

    /// <summary>The instruction that would execute next.</summary>
    public ulong Pc { get; init; }

    /// <summary>Processor state.</summary>
    public Pstate Pstate { get; init; }

    /// <summary>SP_EL0.</summary>
    public ulong SpEl0 { get; init; }

    /// <summary>SP_EL1.</summary>
    public ulong SpEl1 { get; init; }

    /// <summary>ELR_ELc.</summary>
    public ulong ElrElc { get; init; }

    /// <summary>SPSR_ELc.</summary>
    public ulong SpsrElc { get; init; }

    /// <summary>VBAR_ELc.</summary>
    public ulong VbarElc { get; init; }

    /// <summary>SCTLR_ELc.</summary>
    public ulong SctlrElc { get; init; }
}

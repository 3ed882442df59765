namespace Hypercalls.Kvm.Translation;

/// <summary>What EL1 and EL0 translate addresses by. KVM keeps a guest's AArch32 registers in the AArch64 ones: SCTLR, TTBCR, TTBR0 and TTBR1 are their low 32 or all 64 bits.</summary>
/// <param name="IsAArch32">EL1 runs in AArch32 state: its registers and tables are those of VMSAv8-32.</param>
/// <param name="Sctlr">SCTLR_EL1.</param>
/// <param name="Tcr">TCR_EL1.</param>
/// <param name="Ttbr0">TTBR0_EL1.</param>
/// <param name="Ttbr1">TTBR1_EL1.</param>
internal readonly record struct TranslationRegisters(bool IsAArch32, ulong Sctlr, ulong Tcr, ulong Ttbr0, ulong Ttbr1)
{
    /// <summary>SCTLR_EL1.M: stage 1 of translation is on.</summary>
    public bool IsOn => (Sctlr & 1) != 0;

    /// <summary>SCTLR_EL1.EE: descriptors are read as big-endian.</summary>
    public bool IsBigEndian => (Sctlr >> 25 & 1) != 0;
}

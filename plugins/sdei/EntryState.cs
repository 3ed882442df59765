using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>The processor state in which a handler begins, as for an exception taken to the client's exception level (DEN0054, Event handler context; DDI 0487, AArch64.TakeException).</summary>
/// <param name="ClientEl">1 or 2.</param>
/// <param name="HasSsbs">FEAT_SSBS.</param>
/// <param name="HasNmi">FEAT_NMI.</param>
/// <param name="HasPan">FEAT_PAN.</param>
/// <param name="HasMte2">FEAT_MTE2.</param>
public readonly record struct EntryState(int ClientEl, bool HasSsbs, bool HasNmi, bool HasPan, bool HasMte2)
{
    private const ulong Daif = 0xF << 6;
    private const ulong Ssbs = 1 << 12;
    private const ulong AllInt = 1 << 13;
    private const ulong Pan = 1 << 22;
    private const ulong Dit = 1 << 24;
    private const ulong Tco = 1 << 25;
    private const ulong Nzcv = 0xFul << 28;

    private const ulong SctlrSpan = 1 << 23;
    private const ulong SctlrDssbs = 1ul << 44;
    private const ulong SctlrSpIntMask = 1ul << 62;

    /// <summary>EL1h or EL2h with D, A, I and F masked, and nothing else: how COMPLETE_AND_RESUME goes on.</summary>
    internal Pstate Resume => ClientEl == 2 ? Pstate.El2h : Pstate.El1h;

    /// <summary>From the ID registers of a machine.</summary>
    /// <param name="machine">What the host says; a register that it does not give counts as 0.</param>
    /// <returns>What the entry depends on.</returns>
    public static EntryState Of(MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        var pfr1 = Register(machine, "ID_AA64PFR1_EL1");
        return new(
            machine.ClientEl,
            HasSsbs: Field(pfr1, 4) >= 1,
            HasNmi: Field(pfr1, 36) >= 1,
            HasPan: Field(Register(machine, "ID_AA64MMFR1_EL1"), 20) >= 1,
            HasMte2: Field(pfr1, 8) >= 2);
    }

    /// <summary>The state at the first instruction of the handler.</summary>
    /// <param name="interrupted">Of the code it interrupts, at any exception level, in either execution state: what is kept of it has the same place in both.</param>
    /// <param name="sctlr">SCTLR of the client's exception level.</param>
    /// <returns>With IL, SS, BTYPE and UAO zero.</returns>
    public Pstate Enter(Pstate interrupted, ulong sctlr)
    {
        var kept = interrupted.Value & (Nzcv | Dit | Pan);
        // At EL2 it takes a host with VHE, which the registers at hand do not tell: PAN stays as it was.
        var pan = HasPan && ClientEl == 1 && (sctlr & SctlrSpan) == 0 ? Pan : 0;
        var ssbs = HasSsbs && (sctlr & SctlrDssbs) != 0 ? Ssbs : 0;
        var allInt = HasNmi && (sctlr & SctlrSpIntMask) == 0 ? AllInt : 0;
        var tco = HasMte2 ? Tco : 0;
        return new(Resume.Value | Daif | kept | pan | ssbs | allInt | tco);
    }

    private static ulong Register(MachineDescription machine, string name) =>
        machine.IdRegisters.FirstOrDefault(register => register.Name == name).Value;

    private static ulong Field(ulong register, int lowest) => register >> lowest & 0xF;
}

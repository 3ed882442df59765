using Hypercalls.Protos;

namespace Hypercalls.Hosts;

/// <summary>Where the cores of a machine start: the exception level and execution state that are the guest's.</summary>
/// <param name="ClientEl">1 or 2.</param>
/// <param name="IsAArch32">Of EL1; a guest at EL2 is AArch64.</param>
internal sealed record GuestKind(uint ClientEl = 1, bool IsAArch32 = false)
{
    private const ulong AArch64Only = 1;

    /// <summary>What reaches the daemon: HVC needs an EL2 that is not the guest's own.</summary>
    public IReadOnlyList<Conduit> Conduits(ulong idAa64pfr0) =>
        ClientEl == 2 || El2(idAa64pfr0) == 0 ? [Conduit.Smc] : [Conduit.Smc, Conduit.Hvc];

    /// <summary>Why a CPU with this ID_AA64PFR0_EL1 cannot run it, null where it can.</summary>
    public string? Refusal(ulong idAa64pfr0, string cpu, Conduit conduit)
    {
        if (El2(idAa64pfr0) == 0 && ClientEl == 2)
        {
            return $"The CPU {cpu} has no EL2: no guest can start there.";
        }
        if (IsAArch32 && (idAa64pfr0 >> 4 & 0xf) == AArch64Only)
        {
            return $"The CPU {cpu} knows no AArch32 at EL1: an AArch32 kernel cannot start on it.";
        }
        return Conduits(idAa64pfr0).Contains(conduit) ? null : $"The CPU {cpu} has no EL2: a guest on it calls by SMC alone.";
    }

    /// <summary>
    /// Whether the guest can be in this state (DDI 0487, SPSR_EL3.M): its own exception level or one below it, in an execution state that level can have.
    /// </summary>
    public bool CanBeIn(ulong pstate) => (pstate & 0x1f) switch
    {
        0x00 => !IsAArch32, // EL0t
        0x04 or 0x05 => !IsAArch32, // EL1t, EL1h
        0x08 or 0x09 => ClientEl == 2, // EL2t, EL2h
        0x10 => true, // usr
        0x11 or 0x12 or 0x13 or 0x17 or 0x1b or 0x1f => IsAArch32 || ClientEl == 2, // fiq, irq, svc, abt, und, sys
        _ => false,
    };

    public override string ToString() => IsAArch32 ? $"an AArch32 guest at EL{ClientEl}" : $"a guest at EL{ClientEl}";

    private static ulong El2(ulong idAa64pfr0) => idAa64pfr0 >> 8 & 0xf;
}

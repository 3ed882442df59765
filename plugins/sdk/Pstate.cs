using System.Globalization;

namespace Hypercalls.Sdk;

/// <summary>Processor state in the layout of SPSR (DDI 0487, SPSR_EL1).</summary>
/// <param name="Value">All 64 bits.</param>
public readonly record struct Pstate(ulong Value)
{
    /// <summary>EL1h with D, A, I and F masked.</summary>
    public static Pstate El1h => new(0x3C5);

    /// <summary>EL2h with D, A, I and F masked.</summary>
    public static Pstate El2h => new(0x3C9);

    /// <summary>Bit 4, nRW: the caller runs in AArch32 state.</summary>
    public bool IsAArch32 => (Value >> 4 & 1) != 0;

    /// <summary>The exception level, 0 to 3.</summary>
    public int ExceptionLevel => IsAArch32
        ? (Value & 0xF) switch { 0x0 => 0, 0xA => 2, 0x6 => 3, _ => 1 }
        : (int)(Value >> 2 & 3);

    /// <summary>Hexadecimal.</summary>
    /// <returns>0x3C5 and the like.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"0x{Value:X}");
}

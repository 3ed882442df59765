using System.Globalization;

namespace Hypercalls.Sdk;

/// <summary>An SMCCC function identifier: the low 32 bits of x0 (DEN0028, Function identifiers).</summary>
/// <param name="Value">All 32 bits, as the guest gave them.</param>
public readonly record struct FunctionId(uint Value)
{
    private const uint SveHint = 1u << 16;

    /// <summary>Bit 31: a fast (atomic) call; else a yielding one.</summary>
    public bool IsFast => Value >> 31 != 0;

    /// <summary>Bit 30: SMC64/HVC64, with 64-bit arguments; else SMC32/HVC32.</summary>
    public bool IsSmc64 => (Value >> 30 & 1) != 0;

    /// <summary>Bits 29:24: who owns the function.</summary>
    public OwningEntity Owner => (OwningEntity)(Value >> 24 & 0x3F);

    /// <summary>Bits 15:0: the function number within its owner.</summary>
    public ushort Number => (ushort)Value;

    /// <summary>Bit 16 of a fast call: the caller holds no live SVE state. A hint, never part of the identity.</summary>
    public bool HasSveHint => IsFast && (Value & SveHint) != 0;

    /// <summary>Whether bits 23:17, which must be zero in a fast call, are not.</summary>
    public bool HasReservedBits => IsFast && (Value >> 17 & 0x7F) != 0;

    /// <summary>Whether this is one of the owner's general queries, numbers 0xFF00 to 0xFFFF (DEN0028, General service queries).</summary>
    public bool IsGeneralQuery => IsFast && Number >= 0xFF00;

    /// <summary>The identifier by which a fast call is routed: without the SVE hint.</summary>
    public FunctionId WithoutHint => IsFast ? new(Value & ~SveHint) : this;

    /// <summary>Reads "0xC4000003", "0xC400_0003" or decimal digits.</summary>
    /// <param name="text">At most 32 bits' worth.</param>
    /// <param name="id">The identifier.</param>
    /// <returns>False where the text is no number or is wider than 32 bits.</returns>
    public static bool TryParse(string text, out FunctionId id)
    {
        ArgumentNullException.ThrowIfNull(text);
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        var parsed = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? uint.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            : uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        id = new(value);
        return parsed;
    }

    /// <summary>The digits grouped as the specifications do: 0xC400_0003.</summary>
    /// <returns>Eleven characters.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"0x{Value >> 16:X4}_{Value & 0xFFFF:X4}");
}

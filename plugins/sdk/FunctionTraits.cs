namespace Hypercalls.Sdk;

/// <summary>What a row of a function table says beside ID, name and code. Combine with <c>|</c>.</summary>
public readonly record struct FunctionTraits
{
    private const uint NoReturnBit = 1;
    private const uint MandatoryBit = 2;
    private const uint VersionBit = 4;

    private readonly uint _bits;
    private readonly int _since;

    private FunctionTraits(uint bits, uint used, int since = 0)
    {
        _bits = bits;
        Used = used;
        _since = since;
    }

    /// <summary>No result register is written on success: the host has no fallback value for it.</summary>
    public static FunctionTraits NoReturn => new(NoReturnBit, 0);

    /// <summary>The specification demands it of every implementation.</summary>
    public static FunctionTraits Mandatory => new(MandatoryBit, 0);

    /// <summary>The VERSION function of its family.</summary>
    public static FunctionTraits Version => new(VersionBit, 0);

    /// <summary>Whether the function does not return on success.</summary>
    public bool IsNoReturn => (_bits & NoReturnBit) != 0;

    /// <summary>Whether the specification demands it.</summary>
    public bool IsMandatory => (_bits & MandatoryBit) != 0;

    /// <summary>Whether it is the VERSION function of its family.</summary>
    public bool IsVersion => (_bits & VersionBit) != 0;

    /// <summary>The version of the specification that brought the function; 0.0 where the row does not say.</summary>
    public Version Introduced => new(_since >> 16, _since & 0xFFFF);

    /// <summary>Registers above x5 that the function reads, bit n for x n.</summary>
    public uint Used { get; }

    /// <summary>The version of the specification that brought the function: a table for an older version leaves the row out.</summary>
    /// <param name="major">0 to 0x7FFF.</param>
    /// <param name="minor">0 to 0xFFFF.</param>
    /// <returns>The trait.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number that no version has.</exception>
    public static FunctionTraits Since(int major, int minor)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(major);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(major, 0x7FFF);
        ArgumentOutOfRangeException.ThrowIfNegative(minor);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minor, 0xFFFF);
        return new(0, 0, major << 16 | minor);
    }

    /// <summary>The function reads registers above x5; the host sends them with the call.</summary>
    /// <param name="first">6 to 17.</param>
    /// <param name="last">From <paramref name="first"/> to 17; by default the same.</param>
    /// <returns>The trait.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A register outside x6 to x17.</exception>
    public static FunctionTraits Uses(int first, int? last = null)
    {
        var end = last ?? first;
        ArgumentOutOfRangeException.ThrowIfLessThan(first, 6);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, CallRegisters.Count - 1);
        return new(0, (uint)((1ul << end + 1) - (1ul << first)));
    }

    /// <summary>Both.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    /// <returns>All that either says.</returns>
    public static FunctionTraits operator |(FunctionTraits left, FunctionTraits right) => left.BitwiseOr(right);

    /// <summary>Both.</summary>
    /// <param name="other">The other.</param>
    /// <returns>All that either says.</returns>
    public FunctionTraits BitwiseOr(FunctionTraits other) => new(_bits | other._bits, Used | other.Used, Math.Max(_since, other._since));
}

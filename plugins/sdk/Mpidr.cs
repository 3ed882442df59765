using System.Globalization;

namespace Hypercalls.Sdk;

/// <summary>The affinity of a core, Aff3 39:32, Aff2 23:16, Aff1 15:8, Aff0 7:0 (DEN0022, Multiprocessor Affinity Register arguments).</summary>
public readonly record struct Mpidr
{
    private const ulong Affinity = 0xFF_00FF_FFFF;

    private Mpidr(ulong value) => Value = value;

    /// <summary>The affinity fields, all other bits zero.</summary>
    public ulong Value { get; }

    /// <summary>Takes an argument in which all bits outside the affinity fields must be zero.</summary>
    /// <param name="argument">As the guest gave it.</param>
    /// <param name="mpidr">The affinity.</param>
    /// <returns>False where another bit is set.</returns>
    public static bool TryParse(ulong argument, out Mpidr mpidr)
    {
        mpidr = new(argument & Affinity);
        return mpidr.Value == argument;
    }

    /// <summary>From MPIDR_EL1, whose U, MT and RES1 bits are dropped.</summary>
    /// <param name="register">64 bits of MPIDR_EL1.</param>
    /// <returns>The affinity fields alone.</returns>
    public static Mpidr FromRegister(ulong register) => new(register & Affinity);

    /// <summary>One affinity field.</summary>
    /// <param name="level">0 to 3.</param>
    /// <returns>8 bits.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The level is above 3.</exception>
    public byte this[int level] => level switch
    {
        0 or 1 or 2 => (byte)(Value >> 8 * level),
        3 => (byte)(Value >> 32),
        _ => throw new ArgumentOutOfRangeException(nameof(level)),
    };

    /// <summary>Whether both name the same node at and above a level.</summary>
    /// <param name="other">The other affinity.</param>
    /// <param name="lowestLevel">0 to 3; fields below it are ignored.</param>
    /// <returns>True where the fields from <paramref name="lowestLevel"/> up are equal.</returns>
    public bool SameNode(Mpidr other, int lowestLevel)
    {
        for (var level = lowestLevel; level <= 3; level++)
        {
            if (this[level] != other[level])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Aff3.Aff2.Aff1.Aff0, decimal: 0.0.1.3.</summary>
    /// <returns>Four numbers with dots.</returns>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{this[3]}.{this[2]}.{this[1]}.{this[0]}");
}

namespace Hypercalls.Sdk;

/// <summary>Guest memory that a call names, checked once: above 0 bytes, without a wrap, and all of it in one range of the machine's RAM.</summary>
public readonly record struct GuestRange
{
    /// <summary>The longest range in bytes: what one exit can carry beside its registers.</summary>
    public const int MostBytes = 32 * 1024;

    private GuestRange(ulong @base, int size) => (Base, Size) = (@base, size);

    /// <summary>The first guest physical address.</summary>
    public ulong Base { get; }

    /// <summary>In bytes: 1 to <see cref="MostBytes"/>; 0 for <c>default</c>, which holds no memory.</summary>
    public int Size { get; }

    /// <summary>Checks what a guest gave.</summary>
    /// <param name="machine">Whose memory.</param>
    /// <param name="base">A guest physical address, as the guest gave it.</param>
    /// <param name="size">In bytes, as the guest gave it.</param>
    /// <param name="range">The range.</param>
    /// <returns>False where it is empty, too long, wraps, or is not all RAM.</returns>
    public static bool TryCreate(MachineDescription machine, ulong @base, ulong size, out GuestRange range)
    {
        ArgumentNullException.ThrowIfNull(machine);
        range = default;
        if (size is 0 or > MostBytes || machine.RamAt(@base) is not { } ram || size > ram.Size - (@base - ram.Base))
        {
            return false;
        }

        range = new(@base, (int)size);
        return true;
    }

    /// <summary>A part of it.</summary>
    /// <param name="offset">Bytes from <see cref="Base"/>.</param>
    /// <param name="size">In bytes, above 0.</param>
    /// <returns>The part.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It is empty or passes the end.</exception>
    public GuestRange Part(int offset, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)offset + size, Size, nameof(size));
        return new(Base + (ulong)offset, size);
    }

    /// <summary>Bytes to be written here, for <see cref="Answer.Writes"/>.</summary>
    /// <param name="data">At most <see cref="Size"/> bytes, from <see cref="Base"/> on.</param>
    /// <returns>The write.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are more bytes than fit.</exception>
    public MemoryWrite Write(ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, Size, nameof(data));
        return new(Base, ValueArray.Of(data));
    }

    /// <summary>0x40001000 to 0x400010ff.</summary>
    /// <returns>Both addresses inclusive.</returns>
    public override string ToString() => Size == 0 ? "nothing" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"0x{Base:x} to 0x{Base + (ulong)Size - 1:x}");

    /// <summary>Whether all of another range lies inside.</summary>
    internal bool Contains(GuestRange other) => other.Base >= Base && other.Base - Base <= (ulong)(Size - other.Size) && other.Size <= Size;
}

using System.Buffers.Binary;

namespace Hypercalls.Kvm.Translation;

/// <summary>One walk through tables of 64-bit descriptors (DDI 0487, VMSAv8-64 translation table format descriptors; VMSAv8-32 Long-descriptor translation table format).</summary>
internal readonly ref struct LongDescriptorWalk
{
    private const int LastLevel = 3;
    private const ulong Address = 0x0000_ffff_ffff_f000;

    /// <summary>Of a page's offset: 12, 14 or 16.</summary>
    public int GranuleBits { get; init; }

    /// <summary>Of the virtual address that the tables cover: more than <see cref="GranuleBits"/>.</summary>
    public int InputBits { get; init; }

    /// <summary>That a physical address may have.</summary>
    public int OutputBits { get; init; }

    /// <summary>Least alignment of the first table, in bits; its own size may ask for more.</summary>
    public int TableAlignment { get; init; }

    public bool IsBigEndian { get; init; }

    public ulong? Find(ulong ttbr, ulong address, IPhysicalMemory memory)
    {
        // Each table is one granule of 8-byte entries, but for the first, which may be smaller.
        var bitsPerLevel = GranuleBits - 3;
        var levels = (InputBits - GranuleBits + bitsPerLevel - 1) / bitsPerLevel;
        var entryBits = InputBits - GranuleBits - (levels - 1) * bitsPerLevel;
        if (!TryTable(ttbr, entryBits, out var table))
        {
            return null;
        }
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        for (var level = LastLevel + 1 - levels; level <= LastLevel; level++)
        {
            var shift = GranuleBits + (LastLevel - level) * bitsPerLevel;
            var entry = address >> shift & (1ul << entryBits) - 1;
            if (!memory.TryRead(table + entry * sizeof(ulong), bytes))
            {
                return null;
            }
            var descriptor = IsBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            // Bits 49:48, and bits 15:12 with the 64 KB granule, are bits 51:48 of a physical address where there are so many.
            if ((descriptor & (3ul << 48)) != 0 || GranuleBits == 16 && (descriptor & 0xf000) != 0)
            {
                return null;
            }
            switch (descriptor & 3)
            {
                case 3 when level < LastLevel:
                    table = descriptor & Address & ~0ul << GranuleBits;
                    if (table >> OutputBits != 0)
                    {
                        return null;
                    }
                    entryBits = bitsPerLevel;
                    break;
                case 3:
                case 1 when IsBlock(level):
                    var offset = (1ul << shift) - 1;
                    var start = descriptor & Address & ~offset;
                    return start >> OutputBits == 0 ? start | address & offset : null;
                default:
                    return null;
            }
        }
        return null;
    }

    // Bits below the table's alignment are reserved, but for bit 0, CnP.
    private bool TryTable(ulong ttbr, int entryBits, out ulong table)
    {
        var reserved = (1ul << Math.Max(entryBits + 3, TableAlignment)) - 1;
        table = ttbr & 0x0000_ffff_ffff_fffe;
        return (table & reserved) == 0 && table >> OutputBits == 0;
    }

    private bool IsBlock(int level) => level == 2 || level == 1 && GranuleBits == 12;
}

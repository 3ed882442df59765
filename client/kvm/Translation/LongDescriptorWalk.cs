using System.Buffers.Binary;

namespace Hypercalls.Kvm.Translation;

/// <summary>One walk through tables of 64-bit descriptors (DDI 0487, VMSAv8-64 translation table format descriptors; VMSAv8-32 Long-descriptor translation table format).</summary>
internal readonly ref struct LongDescriptorWalk
{
    private const int LastLevel = 3;

    /// <summary>Of a page's offset: 12, 14 or 16.</summary>
    public int GranuleBits { get; init; }

    /// <summary>Of the virtual address that the tables cover: more than <see cref="GranuleBits"/>.</summary>
    public int InputBits { get; init; }

    /// <summary>That a physical address may have.</summary>
    public int OutputBits { get; init; }

    /// <summary>Least alignment of the first table, in bits; its own size may ask for more.</summary>
    public int TableAlignment { get; init; }

    /// <summary>TCR_EL1.DS, with a granule of 4 or 16 KB: TTBR and descriptors hold 52 bits of an address.</summary>
    public bool IsLpa2 { get; init; }

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
            // Without LPA2, bits 49:48 are reserved; bits 15:12 with the 64 KB granule are bits 51:48 of a physical address where there are so many.
            if (!IsLpa2 && (descriptor & (3ul << 48)) != 0 || GranuleBits == 16 && (descriptor & 0xf000) != 0)
            {
                return null;
            }
            switch (descriptor & 3)
            {
                case 3 when level < LastLevel:
                    table = Address(descriptor) & ~0ul << GranuleBits;
                    if (table >> OutputBits != 0)
                    {
                        return null;
                    }
                    entryBits = bitsPerLevel;
                    break;
                case 3:
                case 1 when IsBlock(level):
                    var offset = (1ul << shift) - 1;
                    var start = Address(descriptor) & ~offset;
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
        if (IsLpa2)
        {
            // Bits 5:2 are bits 51:48, whatever the output size: even a table of two entries is aligned to 64 bytes.
            table = table & ~0x3cul | (table & 0x3c) << 46;
        }
        return (table & reserved) == 0 && table >> OutputBits == 0;
    }

    // With LPA2, bits 9:8, which are the shareability otherwise, are bits 51:50.
    private ulong Address(ulong descriptor) => IsLpa2
        ? descriptor & 0x0003_ffff_ffff_f000 | (descriptor & 0x300) << 42
        : descriptor & 0x0000_ffff_ffff_f000;

    // LPA2 has them a level higher: 512 GB with the 4 KB granule, 64 GB with that of 16 KB.
    private bool IsBlock(int level) => level < LastLevel && level >= (GranuleBits == 12 ? 1 : 2) - (IsLpa2 ? 1 : 0);
}

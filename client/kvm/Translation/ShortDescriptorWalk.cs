using System.Buffers.Binary;

namespace Hypercalls.Kvm.Translation;

/// <summary>A walk through tables of 32-bit descriptors (DDI 0487, The VMSAv8-32 Short-descriptor translation table format).</summary>
internal static class ShortDescriptorWalk
{
    public static ulong? Find(in TranslationRegisters registers, uint address, IPhysicalMemory memory)
    {
        // TTBCR.N: TTBR0's table covers the lowest 2^(32 - N) bytes, TTBR1's what is above, by a table of full size.
        var n = (int)registers.Tcr & 7;
        var isUpper = n != 0 && address >> (32 - n) != 0;
        if ((registers.Tcr >> (isUpper ? 5 : 4) & 1) != 0)
        {
            return null;
        }
        var table = (uint)(isUpper ? registers.Ttbr1 & ~0ul << 14 : registers.Ttbr0 & ~0ul << (14 - n));
        if (Read(registers, table + (address >> 20) * sizeof(uint), memory) is not { } first)
        {
            return null;
        }
        return (first & 3) switch
        {
            0 => null,
            1 => SecondLevel(registers, first & ~0x3ffu, address, memory),
            _ when (first >> 18 & 1) == 0 => first & 0xfff0_0000 | address & 0x000f_ffff,
            // Bits 39:32 of a supersection's address: RAM of 32-bit guests is not there.
            _ when (first & 0x00f0_01e0) != 0 => null,
            _ => first & 0xff00_0000 | address & 0x00ff_ffff,
        };
    }

    private static ulong? SecondLevel(in TranslationRegisters registers, uint table, uint address, IPhysicalMemory memory)
    {
        if (Read(registers, table + (address >> 12 & 0xff) * sizeof(uint), memory) is not { } second)
        {
            return null;
        }
        return (second & 3) switch
        {
            0 => null,
            1 => second & 0xffff_0000 | address & 0xffff,
            _ => second & 0xffff_f000 | address & 0xfff,
        };
    }

    private static uint? Read(in TranslationRegisters registers, uint address, IPhysicalMemory memory)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        return !memory.TryRead(address, bytes) ? null
            : registers.IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }
}

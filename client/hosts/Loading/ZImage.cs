using System.Buffers.Binary;

namespace Hypercalls.Hosts.Loading;

/// <summary>The header of an AArch32 kernel that decompresses itself (Linux, arch/arm/boot/compressed/head.S).</summary>
internal static class ZImage
{
    /// <summary>Above what most kernels become: such a zImage does not have to move out of its own way.</summary>
    public const ulong Place = 32 << 20;

    private const uint Magic = 0x016f_2818;
    private const uint LittleEndian = 0x0403_0201;
    private const uint BigEndian = 0x0102_0304;
    private const uint TableMagic = 0x4545_4545;
    private const uint KernelSizeTag = 0x5a53_4c4b; // "KLSZ"
    private const int HeaderSize = 64;

    // The kernel begins a little above the start of RAM, 0x208000 in Debian's.
    private const ulong TextOffset = 4 << 20;

    // Stack, heap and page tables of the decompressor.
    private const ulong Workspace = 1 << 20;

    // What a kernel without a table in its header may become at most.
    private const ulong LargestRatio = 5;

    public static bool TryParse(byte[] bytes, out KernelImage image, out string fault)
    {
        image = null!;
        fault = "its header lacks the magic number";
        if (bytes.Length < HeaderSize || Word(bytes, 0x24) != Magic)
        {
            return false;
        }
        // Kernels before 4.0 have no such field.
        if (Word(bytes, 0x30) == BigEndian)
        {
            fault = "it is big-endian, which this host does not start";
            return false;
        }
        var length = (ulong)Word(bytes, 0x2c) - Word(bytes, 0x28);
        if (length < HeaderSize || length > (ulong)bytes.Length)
        {
            fault = "the file is shorter than its header says";
            return false;
        }
        var kernelEnd = TextOffset + KernelSize(bytes);
        // When the two overlap it moves itself behind the kernel first.
        var moved = kernelEnd > Place ? kernelEnd - Place : 0;
        image = new(bytes, Place - BootLayout.KernelOffset, moved + (ulong)bytes.Length + Workspace, IsAArch32: true);
        return true;
    }

    /// <summary>What it becomes, cleared data included: from the table behind the header, or a guess.</summary>
    private static ulong KernelSize(byte[] bytes)
    {
        var table = Word(bytes, 0x38);
        return Word(bytes, 0x30) == LittleEndian && Word(bytes, 0x34) == TableMagic
            && TryWord(bytes, table + 4ul, out var tag) && tag == KernelSizeTag
            && TryWord(bytes, table + 8ul, out var sizeAt) && TryWord(bytes, sizeAt, out var size) && TryWord(bytes, table + 12ul, out var cleared)
                ? (ulong)size + cleared
                : (ulong)bytes.Length * LargestRatio;
    }

    private static bool TryWord(byte[] bytes, ulong offset, out uint word)
    {
        word = 0;
        if (offset > (ulong)bytes.Length - sizeof(uint))
        {
            return false;
        }
        word = Word(bytes, (int)offset);
        return true;
    }

    private static uint Word(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));
}

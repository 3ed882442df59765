namespace Hypercalls.Kvm.Translation;

/// <summary>
/// Where in a guest's memory an instruction stands that EL1 or EL0 executed, by the guest's own tables
/// (DDI 0487, The AArch64 Virtual Memory System Architecture; The AArch32 Virtual Memory System Architecture).
/// </summary>
/// <remarks>
/// Permissions and access flags are not looked at: the instruction has been fetched. What an implementation may choose
/// (reserved values, physical addresses above 48 bits without LPA2) is not guessed at: the answer is then null.
/// </remarks>
internal static class Stage1Walk
{
    private const int AddressBits = 48;

    /// <summary>The guest physical address, or null where it cannot be known: nothing is mapped there, or a table lies outside of RAM.</summary>
    public static ulong? Find(in TranslationRegisters registers, ulong address, IPhysicalMemory memory)
    {
        if (registers.IsAArch32)
        {
            return address >> 32 != 0 ? null
                : !registers.IsOn ? address
                : (registers.Tcr >> 31 & 1) != 0 ? AArch32LongDescriptors(registers, address, memory)
                : ShortDescriptorWalk.Find(registers, (uint)address, memory);
        }
        return registers.IsOn ? AArch64(registers, address, memory)
            : address >> AddressBits == 0 ? address
            : null;
    }

    private static ulong? AArch64(in TranslationRegisters registers, ulong address, IPhysicalMemory memory)
    {
        var tcr = registers.Tcr;
        var isUpper = (address >> 55 & 1) != 0;
        var size = (int)(isUpper ? tcr >> 16 : tcr) & 0x3f;
        var isDisabled = (tcr >> (isUpper ? 23 : 7) & 1) != 0;
        // TG0 and TG1 say the same in different codes.
        var granuleBits = isUpper
            ? (tcr >> 30 & 3) switch { 1 => 14, 2 => 12, 3 => 16, _ => 0 }
            : (tcr >> 14 & 3) switch { 0 => 12, 1 => 16, 2 => 14, _ => 0 };
        // FEAT_LPA2, by TCR_EL1.DS: 52-bit addresses with the smaller granules; with the 64 KB granule the bit says nothing.
        var isLpa2 = (tcr >> 59 & 1) != 0 && granuleBits != 16;
        var is52Bit = (tcr >> 32 & 7) == 6;
        var outputBits = (tcr >> 32 & 7) switch { 0 => 32, 1 => 36, 2 => 40, 3 => 42, 4 => 44, 6 when isLpa2 => 52, 5 or 6 => AddressBits, _ => 0 };
        // Below 16, a size needs 52-bit virtual addresses, which the 64 KB granule alone has without LPA2; above 39, small tables.
        if (isDisabled || granuleBits == 0 || outputBits == 0 || size < (granuleBits == 16 || isLpa2 ? 12 : 16) || size > 39)
        {
            return null;
        }
        // A branch leaves no tag in the PC where tags are ignored, so an address that is not canonical is not an instruction's.
        if ((isUpper ? ~address : address) >> (64 - size) != 0)
        {
            return null;
        }
        var walk = new LongDescriptorWalk
        {
            GranuleBits = granuleBits,
            InputBits = 64 - size,
            OutputBits = outputBits,
            IsLpa2 = isLpa2,
            // Bits 5:2 of TTBR are the table's bits 51:48 where physical addresses have 52.
            TableAlignment = granuleBits == 16 && is52Bit ? 6 : 0,
            IsBigEndian = registers.IsBigEndian,
        };
        return walk.Find(isUpper ? registers.Ttbr1 : registers.Ttbr0, address, memory);
    }

    // (Selecting between TTBR0 and TTBR1, VMSAv8-32 Long-descriptor translation table format.)
    private static ulong? AArch32LongDescriptors(in TranslationRegisters registers, ulong address, IPhysicalMemory memory)
    {
        var (size0, size1) = ((int)registers.Tcr & 7, (int)(registers.Tcr >> 16) & 7);
        var isLower = address >> (32 - size0) == 0;
        var isUpper = size1 == 0 ? !isLower : (uint)~address >> (32 - size1) == 0;
        if (!isLower && !isUpper || (registers.Tcr >> (isUpper ? 23 : 7) & 1) != 0)
        {
            return null;
        }
        var walk = new LongDescriptorWalk
        {
            GranuleBits = 12,
            InputBits = 32 - (isUpper ? size1 : size0),
            OutputBits = 40,
            IsBigEndian = registers.IsBigEndian,
        };
        return walk.Find(isUpper ? registers.Ttbr1 : registers.Ttbr0, address, memory);
    }
}

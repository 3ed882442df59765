using Hypercalls.Kvm.Translation;

namespace Hypercalls.Tests.Client.Kvm.Translation;

/// <summary>One valid mapping of a random format, made from the field tables of DDI 0487 and not from a walk.</summary>
internal sealed class MappingBuilder(Random random)
{
    // Top and bottom bit of each level's field of an address, that of pages last, and whether a block may end the walk there.
    private static readonly (int Top, int Bottom, bool HasBlocks)[] Granule4 = [(47, 39, false), (38, 30, true), (29, 21, true), (20, 12, false)];
    private static readonly (int Top, int Bottom, bool HasBlocks)[] Granule16 = [(47, 47, false), (46, 36, false), (35, 25, true), (24, 14, false)];
    private static readonly (int Top, int Bottom, bool HasBlocks)[] Granule64 = [(51, 42, false), (41, 29, true), (28, 16, false)];
    private static readonly (int Top, int Bottom, bool HasBlocks)[] Granule4Lpa2 = [(51, 48, false), (47, 39, true), (38, 30, true), (29, 21, true), (20, 12, false)];
    private static readonly (int Top, int Bottom, bool HasBlocks)[] Granule16Lpa2 = [(51, 47, false), (46, 36, true), (35, 25, true), (24, 14, false)];

    private readonly SparseMemory _memory = new();
    private readonly bool _isBigEndian = random.Next(2) == 0;

    public SparseMemory Memory => _memory;

    public TranslationRegisters Registers { get; private set; }

    public ulong Virtual { get; private set; }

    public ulong Physical { get; private set; }

    public MappingBuilder Build()
    {
        switch (random.Next(7))
        {
            case 0: AArch64(Granule4, tg0: 0, tg1: 2); break;
            case 1: AArch64(Granule16, tg0: 2, tg1: 1); break;
            case 2: AArch64(Granule64, tg0: 1, tg1: 3, ds: (uint)random.Next(2)); break;
            case 3: AArch64(Granule4Lpa2, tg0: 0, tg1: 2, ds: 1, isLpa2: true); break;
            case 4: AArch64(Granule16Lpa2, tg0: 2, tg1: 1, ds: 1, isLpa2: true); break;
            case 5: AArch32Long(); break;
            default: AArch32Short(); break;
        }
        return this;
    }

    private ulong Sctlr => (ulong)random.NextInt64() & ~(1ul << 25) | 1 | (_isBigEndian ? 1ul << 25 : 0);

    private void AArch64((int Top, int Bottom, bool HasBlocks)[] granule, ulong tg0, ulong tg1, ulong ds = 0, bool isLpa2 = false)
    {
        var size = random.Next(63 - granule[0].Top, 40);
        var is52Bit = isLpa2 && random.Next(2) != 0;
        var isUpper = random.Next(2) != 0;
        var inside = (ulong)random.NextInt64() & (1ul << (64 - size)) - 1;
        Virtual = isUpper ? inside | ~0ul << (64 - size) : inside;
        var ttbr = Tables(granule, 63 - size, inside, outputTop: is52Bit ? 51 : 47, isLpa2);
        var tcr = ds << 59 | (is52Bit ? 6ul : 5) << 32 | (isUpper ? (ulong)(uint)size << 16 | tg1 << 30 | 1ul << 7 : (ulong)(uint)size | tg0 << 14 | 1ul << 23);
        var other = (ulong)random.NextInt64();
        Registers = new(IsAArch32: false, Sctlr, tcr, isUpper ? other : ttbr, isUpper ? ttbr : other);
    }

    private void AArch32Long()
    {
        var (size0, size1) = (random.Next(8), random.Next(8));
        var lowerEnd = 1ul << (32 - size0);
        var upperStart = size1 == 0 ? lowerEnd : (1ul << 32) - (1ul << (32 - size1));
        var isUpper = upperStart < 1ul << 32 && random.Next(2) != 0;
        Virtual = isUpper
            ? (ulong)random.NextInt64((long)upperStart, 1L << 32)
            : (ulong)random.NextInt64((long)Math.Min(lowerEnd, upperStart));
        var ttbr = Tables(Granule4, 31 - (isUpper ? size1 : size0), Virtual, outputTop: 39);
        var tcr = 1ul << 31 | (ulong)(uint)size1 << 16 | (ulong)(uint)size0;
        Registers = new(IsAArch32: true, Sctlr, tcr, isUpper ? 0 : ttbr, isUpper ? ttbr : 0);
    }

    private void AArch32Short()
    {
        var n = random.Next(8);
        Virtual = (uint)random.NextInt64();
        var isUpper = n != 0 && Virtual >= 1ul << (32 - n);
        var tableBits = isUpper ? 14 : 14 - n;
        var first = Anywhere(31, tableBits);
        var attributes = (uint)random.Next(1 << 7);
        Registers = new(IsAArch32: true, Sctlr, (ulong)n, isUpper ? 0 : first | attributes, isUpper ? first | attributes : 0);
        var at = first + 4 * Field(Virtual, isUpper || n == 0 ? 31 : 31 - n, 20);
        switch (random.Next(4))
        {
            case 0:
                var section = Anywhere(31, 20);
                End(section, 20, at, section | 2 | (uint)random.Next(2), 4);
                break;
            case 1:
                var supersection = Anywhere(31, 24);
                End(supersection, 24, at, supersection | 1 << 18 | 2, 4);
                break;
            default:
                var second = Anywhere(31, 10);
                _memory.Write(at, second | 1, 4, _isBigEndian);
                var isLarge = random.Next(2) == 0;
                var page = Anywhere(31, isLarge ? 16 : 12);
                End(page, isLarge ? 16 : 12, second + 4 * Field(Virtual, 19, 12), page | (isLarge ? 1ul : 2 | (uint)random.Next(2)), 4);
                break;
        }
    }

    // Gives the first table's address with what else TTBR holds.
    private ulong Tables((int Top, int Bottom, bool HasBlocks)[] granule, int topBit, ulong address, int outputTop, bool isLpa2 = false)
    {
        var pages = granule.Length - 1;
        var level = Array.FindIndex(granule, field => field.Bottom <= topBit && topBit <= field.Top);
        var top = topBit;
        var table = Anywhere(outputTop, Math.Max(top - granule[level].Bottom + 1 + 3, 6));
        var ttbr = Field(table, 47, 0) | Field(table, 51, 48) << 2 | (ulong)random.Next(1 << 16) << 48 | (uint)random.Next(2);
        for (; ; level++)
        {
            var bottom = granule[level].Bottom;
            var at = table + 8 * Field(address, top, bottom);
            // Attributes anywhere but in the address and in what is reserved.
            var attributes = (ulong)random.NextInt64() & (isLpa2 ? 0xfff8_0000_0000_0cfc : 0xfff8_0000_0000_0ffc);
            if (level == pages || granule[level].HasBlocks && random.Next(3) == 0)
            {
                var start = Anywhere(outputTop, bottom);
                End(start, bottom, at, attributes | InDescriptor(start) | (level == pages ? 3ul : 1), 8);
                return ttbr;
            }
            table = Anywhere(outputTop, granule[pages].Bottom);
            _memory.Write(at, attributes | InDescriptor(table) | 3, 8, _isBigEndian);
            top = granule[level + 1].Top;
        }
    }

    // Bits 51:50 are there with LPA2 alone.
    private static ulong InDescriptor(ulong address) => Field(address, 49, 0) | Field(address, 51, 50) << 8;

    private void End(ulong start, int bits, ulong at, ulong descriptor, int size)
    {
        _memory.Write(at, descriptor, size, _isBigEndian);
        Physical = start + Field(Virtual, bits - 1, 0);
    }

    private ulong Anywhere(int top, int bottom) => (ulong)random.NextInt64() & (1ul << (top + 1)) - (1ul << bottom);

    private static ulong Field(ulong value, int top, int bottom) => value >> bottom & (1ul << (top - bottom + 1)) - 1;
}

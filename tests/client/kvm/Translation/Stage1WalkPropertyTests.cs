using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using Hypercalls.Kvm.Translation;

namespace Hypercalls.Tests.Client.Kvm.Translation;

public sealed class Stage1WalkPropertyTests
{
    [Fact]
    public void Finds_every_valid_mapping_again() => ForAllSeeds(seed =>
    {
        var mapping = new MappingBuilder(new Random(seed)).Build();
        Assert.Equal(mapping.Physical, Stage1Walk.Find(mapping.Registers, mapping.Virtual, mapping.Memory));
    });

    [Fact]
    public void Ends_whatever_stands_in_memory() => ForAllSeeds(seed =>
    {
        var random = new Random(seed);
        var memory = new Garbage(random);
        // Registers of a mapping that is there lead further than random ones.
        var registers = random.Next(4) == 0
            ? new TranslationRegisters(random.Next(2) == 0, Bits(random), Bits(random), Bits(random), Bits(random))
            : new MappingBuilder(random).Build().Registers;
        var address = Bits(random) >> random.Next(64);
        var found = Stage1Walk.Find(registers, address, memory);
        var isLpa2 = !registers.IsAArch32 && (registers.Tcr >> 59 & 1) != 0;
        Assert.InRange(memory.Reads, 0, registers.IsAArch32 ? 3 : isLpa2 ? 5 : 4);
        Assert.InRange(found ?? 0, 0ul, (1ul << (isLpa2 ? 52 : 48)) - 1);
    });

    private static void ForAllSeeds(Action<int> holds) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(5000), Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), holds));

    private static ulong Bits(Random random) => (ulong)random.NextInt64(long.MinValue, long.MaxValue);

    private sealed class Garbage(Random random) : IPhysicalMemory
    {
        public int Reads { get; private set; }

        public bool TryRead(ulong address, Span<byte> into)
        {
            Reads++;
            random.NextBytes(into);
            if (random.Next(4) != 0 && into.Length == sizeof(ulong))
            {
                // A table or a page, in either order of bytes.
                var low = BinaryPrimitives.ReadUInt64LittleEndian(into) & 0x0000_00ff_ffff_0000 | 3;
                BinaryPrimitives.WriteUInt64LittleEndian(into, random.Next(2) == 0 ? low : BinaryPrimitives.ReverseEndianness(low));
            }
            return random.Next(50) != 0;
        }
    }
}

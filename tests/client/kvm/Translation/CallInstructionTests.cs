using System.Buffers.Binary;
using System.Globalization;
using Hypercalls.Kvm.Translation;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Kvm.Translation;

// Machine words as the GNU assembler makes them of the text beside.
public sealed class CallInstructionTests
{
    private const ulong A64 = 0x3c5;
    private const ulong A32 = 0x1d3;
    private const ulong T32 = 0x1f3;

    [Theory]
    [InlineData(0xd400_0002, Conduit.Hvc, 0)] // hvc #0
    [InlineData(0xd400_00a2, Conduit.Hvc, 5)] // hvc #5
    [InlineData(0xd41f_ffe2, Conduit.Hvc, 0xffff)] // hvc #0xffff
    [InlineData(0xd400_0003, Conduit.Smc, 0)] // smc #0
    [InlineData(0xd400_0023, Conduit.Smc, 1)] // smc #1
    [InlineData(0xd41f_ffe3, Conduit.Smc, 0xffff)] // smc #0xffff
    public void Is_decoded_from_A64(uint opcode, Conduit conduit, int immediate)
    {
        Assert.True(CallInstruction.TryDecode(Word(opcode), A64, out var call));
        Assert.Equal(new(conduit, (ushort)immediate, 14), call);
    }

    [Theory]
    [InlineData(0xd400_0001)] // svc #0
    [InlineData(0xd420_2460)] // brk #0x123
    [InlineData(0xd440_0000)] // hlt #0
    [InlineData(0xd4a0_0001)] // dcps1
    [InlineData(0xd4a0_0002)] // dcps2
    [InlineData(0xd4a0_0003)] // dcps3
    [InlineData(0xd503_201f)] // nop
    [InlineData(0xd69f_03e0)] // eret
    [InlineData(0xe140_0070)] // the A32 hvc 0
    [InlineData(0)]
    public void Is_no_other_instruction_of_A64(uint opcode) => Assert.False(CallInstruction.TryDecode(Word(opcode), A64, out _));

    [Theory]
    [InlineData(0xe140_0070, Conduit.Hvc, 0, 14)] // hvc 0
    [InlineData(0xe140_0075, Conduit.Hvc, 5, 14)] // hvc 5
    [InlineData(0xe14f_ff7f, Conduit.Hvc, 0xffff, 14)] // hvc 65535
    [InlineData(0xe141_2370, Conduit.Hvc, 0x1230, 14)] // hvc 4656
    [InlineData(0x0140_0070, Conduit.Hvc, 0, 14)] // unpredictable: hvc with the condition EQ
    [InlineData(0xe160_0070, Conduit.Smc, 0, 14)] // smc 0
    [InlineData(0xe160_0073, Conduit.Smc, 3, 14)] // smc 3
    [InlineData(0xe160_007f, Conduit.Smc, 15, 14)] // smc 15
    [InlineData(0x0160_0070, Conduit.Smc, 0, 0)] // smceq 0
    [InlineData(0x1160_0070, Conduit.Smc, 0, 1)] // smcne 0
    [InlineData(0x2160_0071, Conduit.Smc, 1, 2)] // smccs 1
    [InlineData(0x3160_0070, Conduit.Smc, 0, 3)] // smccc 0
    [InlineData(0x4160_0070, Conduit.Smc, 0, 4)] // smcmi 0
    [InlineData(0x5160_0070, Conduit.Smc, 0, 5)] // smcpl 0
    [InlineData(0x6160_0070, Conduit.Smc, 0, 6)] // smcvs 0
    [InlineData(0x7160_0070, Conduit.Smc, 0, 7)] // smcvc 0
    [InlineData(0x8160_0070, Conduit.Smc, 0, 8)] // smchi 0
    [InlineData(0x9160_0070, Conduit.Smc, 0, 9)] // smcls 0
    [InlineData(0xa160_0070, Conduit.Smc, 0, 10)] // smcge 0
    [InlineData(0xb160_0070, Conduit.Smc, 0, 11)] // smclt 0
    [InlineData(0xc160_0070, Conduit.Smc, 0, 12)] // smcgt 0
    [InlineData(0xd160_007f, Conduit.Smc, 15, 13)] // smcle 15
    public void Is_decoded_from_A32(uint opcode, Conduit conduit, int immediate, int condition)
    {
        Assert.True(CallInstruction.TryDecode(Word(opcode), A32, out var call));
        Assert.Equal(new(conduit, (ushort)immediate, (uint)condition), call);
    }

    [Theory]
    [InlineData(0xef00_0000)] // svc 0
    [InlineData(0xe120_0070)] // bkpt 0
    [InlineData(0xe160_006e)] // eret
    [InlineData(0xe320_f000)] // nop
    [InlineData(0xe160_1070)] // bits that should be zero
    [InlineData(0xf140_0070)] // unconditional: not hvc
    [InlineData(0xf160_0070)] // unconditional: not smc
    [InlineData(0xd400_0002)] // the A64 hvc #0
    public void Is_no_other_instruction_of_A32(uint opcode) => Assert.False(CallInstruction.TryDecode(Word(opcode), A32, out _));

    [Theory]
    [InlineData("f7e0 8000", Conduit.Hvc, 0)] // hvc #0
    [InlineData("f7e0 8005", Conduit.Hvc, 5)] // hvc #5
    [InlineData("f7ef 8fff", Conduit.Hvc, 0xffff)] // hvc #65535
    [InlineData("f7e1 8230", Conduit.Hvc, 0x1230)] // hvc #4656
    [InlineData("f7f0 8000", Conduit.Smc, 0)] // smc #0
    [InlineData("f7f3 8000", Conduit.Smc, 3)] // smc #3
    [InlineData("f7ff 8000", Conduit.Smc, 15)] // smc #15
    public void Is_decoded_from_T32(string code, Conduit conduit, int immediate)
    {
        // In front, seven times mov r0, r1.
        Assert.True(CallInstruction.TryDecode(Halfwords("4608 4608 4608 4608 4608 4608 4608 " + code), T32, out var call));
        Assert.Equal(new(conduit, (ushort)immediate, 14), call);
        // Alone, an SMC may be the last of an IT block.
        Assert.True(CallInstruction.TryDecode(Halfwords(code), T32, out call));
        Assert.Equal(new(conduit, (ushort)immediate, conduit == Conduit.Hvc ? 14u : null), call);
    }

    [Theory]
    [InlineData("df00 df00")] // svc 0
    [InlineData("bf00 be00")] // nop; bkpt 0
    [InlineData("f78f 8001")] // dcps1
    [InlineData("f3de 8f00")] // eret
    [InlineData("f7ff bffe")] // b.w .
    [InlineData("f7f0 8001")] // bits that should be zero
    [InlineData("8000 f7f0")] // halves in the wrong order
    public void Is_no_other_instruction_of_T32(string code) => Assert.False(CallInstruction.TryDecode(Halfwords(code), T32, out _));

    [Theory]
    [InlineData("4608 4608 4608 4608 4608 4608 bf18 f7f0 8000")] // it ne; smcne #0
    [InlineData("4608 4608 4608 4608 4608 bf1c 2001 f7f0 8000")] // itt ne; movne r0, #1; smcne #0
    [InlineData("4608 4608 bf1e f248 0000 f2c8 4000 f7f0 8000")] // ittt ne; movwne, movtne r0; smcne #0
    [InlineData("bf1f f248 0000 f2c8 4000 f64b 7118 f7f3 8000")] // itttt ne; movwne, movtne r0; movwne r1, #0xbf18; smcne #3
    [InlineData("4608 4608 4608 4608 4608 f64b bf18 f7f0 8000")] // movw r15, as data
    public void Has_no_known_condition_where_an_IT_block_may_end_with_it(string code) => Assert.Null(Condition(code, T32));

    [Theory]
    [InlineData("4608 4608 4608 bf1c 2001 2001 4608 f7f0 8000")] // the block has ended before
    [InlineData("bf1e f248 0000 f2c8 4000 2001 4608 f7f0 8000")] // the same, with movw and movt
    [InlineData("4608 4608 4608 4608 bf18 f248 0000 f7f0 8000")] // it ne; movwne r0, #0x8000: ended
    [InlineData("4608 4608 4608 bf00 bf10 bf30 bf00 f7f0 8000")] // nop, yield, wfi, nop: no IT
    public void Has_no_condition_outside_of_IT_blocks(string code)
    {
        Assert.Equal(14u, Condition(code, T32));
        // With some of IT[7:0] set: in the midst of a block, where an SMC is unpredictable.
        Assert.Null(Condition(code, T32 | 1 << 10));
        Assert.Null(Condition(code, T32 | 1 << 25));
        // Fewer instructions in front do not tell.
        Assert.True(CallInstruction.TryDecode(Halfwords(code).AsSpan(2), T32, out var call));
        Assert.Null(call.Condition);
    }

    [Fact]
    public void Needs_four_bytes()
    {
        foreach (var pstate in (ulong[])[A64, A32, T32])
        {
            Assert.False(CallInstruction.TryDecode(Word(0xe160_0070).AsSpan(1), pstate, out _));
            Assert.False(CallInstruction.TryDecode([], pstate, out _));
        }
    }

    [Fact]
    public void Is_found_where_the_guests_tables_say()
    {
        // 64 KB granule, one page: virtual 0x10000 is physical 0x12340000.
        var registers = new TranslationRegisters(IsAArch32: false, 1, 5ul << 32 | 1 << 14 | 39, 0x4000_0000, 0);
        var memory = SparseMemory.Of("40000008=12340703");
        memory.Write(0x1234_0ffc, Word(0xd400_00a3));
        Assert.True(CallInstruction.TryFind(registers, 0x1_1000, A64, memory, out var call));
        Assert.Equal(new(Conduit.Smc, 5, 14), call);
        Assert.False(CallInstruction.TryFind(registers, 0x1_1004, A64, memory, out _)); // not RAM
        Assert.False(CallInstruction.TryFind(registers, 0x2_1000, A64, memory, out _)); // not mapped
        Assert.False(CallInstruction.TryFind(registers, 0, A64, memory, out _));
        Assert.False(CallInstruction.TryFind(registers, 2, A64, memory, out _));
    }

    [Theory]
    [InlineData(0x2002, 14)] // the call itself lies in both pages
    [InlineData(0x200c, 14)] // what is in front of it does
    [InlineData(0x1800, 14)]
    [InlineData(0x1008, null)] // what is in front of it cannot be read
    public void Is_found_across_pages_that_are_no_neighbours(ulong pc, int? condition)
    {
        // Short descriptors: virtual 0x1000 is physical 0x80005000, 0x2000 is 0x80001000.
        var registers = new TranslationRegisters(IsAArch32: true, 1, 0, 0x4000_0000, 0);
        var memory = SparseMemory.Of("40000000=40004001 40004004=80005002 40004008=80001002", size: 4);
        memory.Write(0x8000_5000, new byte[0x1000]);
        memory.Write(0x8000_1000, new byte[0x1000]);
        Span<byte> smc = Halfwords("f7f9 8000");
        for (var i = 0; i < smc.Length; i++)
        {
            var address = pc - 4 + (ulong)i;
            memory.Write((address < 0x2000 ? 0x8000_4000 : 0x7fff_f000) + address, smc.Slice(i, 1));
        }
        Assert.True(CallInstruction.TryFind(registers, pc, T32, memory, out var call));
        Assert.Equal(new(Conduit.Smc, 9, (uint?)condition), call);
    }

    [Fact]
    public void Is_found_at_the_lowest_address()
    {
        var memory = new SparseMemory();
        memory.Write(0, Word(0xe160_0071));
        Assert.True(CallInstruction.TryFind(new(IsAArch32: true, 0, 0, 0, 0), 4, A32, memory, out var call));
        Assert.Equal(new(Conduit.Smc, 1, 14), call);
        memory.Write(0, Halfwords("f7e0 8005"));
        Assert.True(CallInstruction.TryFind(new(IsAArch32: true, 0, 0, 0, 0), 4, T32, memory, out call));
        Assert.Equal(new(Conduit.Hvc, 5, 14), call);
    }

    private static uint? Condition(string code, ulong pstate)
    {
        Assert.True(CallInstruction.TryDecode(Halfwords(code), pstate, out var call));
        return call.Condition;
    }

    private static byte[] Word(uint opcode)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, opcode);
        return bytes;
    }

    private static byte[] Halfwords(string code) =>
        [.. code.Split(' ').Select(text => ushort.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).SelectMany(half => (byte[])[(byte)half, (byte)(half >> 8)])];
}

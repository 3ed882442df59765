using Hypercalls.Hosts.Caller;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Hosts.Caller;

public sealed class CallTableTests
{
    private const ulong Address = 0x4040_1000;

    [Theory]
    [InlineData(Conduit.Smc, 0, 0xd400_0003u)] // smc #0
    [InlineData(Conduit.Smc, 1, 0xd400_0023u)] // smc #1
    [InlineData(Conduit.Hvc, 0, 0xd400_0002u)] // hvc #0
    [InlineData(Conduit.Hvc, 0xffff, 0xd41f_ffe2u)] // hvc #0xffff
    public void Has_the_instruction_of_each_call(Conduit conduit, int immediate, uint instruction)
    {
        var table = new CallTable([new(conduit, (ushort)immediate, [])], Address);
        Assert.Equal(instruction, BitConverter.ToUInt32(table.Bytes.Span[(CallerLayout.TableRecords + CallerLayout.RecordInstruction)..]));
    }

    [Fact]
    public void Puts_memory_behind_the_registers_that_point_to_it()
    {
        var table = new CallTable([new(Conduit.Smc, 0, [new(7), new(0, new byte[] { 1, 2, 3 }), new(0, new byte[17])]), new(Conduit.Smc, 0, [new(8)])], Address);
        var bytes = table.Bytes.ToArray();
        const int First = CallerLayout.TableRecords;
        const int Memory = First + CallerLayout.RecordMemory;
        Assert.Equal(2ul, BitConverter.ToUInt64(bytes));
        Assert.Equal(CallerLayout.RecordMemory + 16 + 32, BitConverter.ToInt32(bytes, First + CallerLayout.RecordSize));
        Assert.Equal([7ul, Address + Memory, Address + Memory + 16, 0ul], Registers(bytes, First, 4));
        Assert.Equal([1, 2, 3, 0], bytes[Memory..(Memory + 4)]);
        Assert.Equal([8ul, 0ul], Registers(bytes, Memory + 48, 2));
        Assert.Equal(Memory + 48 + CallerLayout.RecordMemory, bytes.Length);
    }

    [Fact]
    public void What_the_caller_says_is_taken_apart_wherever_it_is_cut()
    {
        var table = new CallTable([new(Conduit.Smc, 0, [new(7), new(0, new byte[8])]), new(Conduit.Smc, 0, [new(8)])], Address);
        byte[] said =
        [
            CallerLayout.SaysBegun,
            CallerLayout.SaysReturned, .. Enumerable.Range(100, 18).SelectMany(n => BitConverter.GetBytes((ulong)n)), .. Enumerable.Range(1, 16).Select(n => (byte)n),
            CallerLayout.SaysReturned, .. Enumerable.Range(200, 18).SelectMany(n => BitConverter.GetBytes((ulong)n)),
            CallerLayout.SaysEnd, 0xff,
        ];
        for (var cut = 0; cut <= said.Length; cut++)
        {
            var results = new List<CallerResult>();
            var ends = new List<CallerEnd>();
            var console = new CallerConsole(table, results.Add, ends.Add);
            console.Take(said.AsSpan(0, cut));
            console.Take(said.AsSpan(cut));
            Assert.Equal([0, 1], results.Select(result => result.Number));
            Assert.Equal([100ul, 117ul], [results[0].X[0], results[0].X[17]]);
            Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], Assert.Single(results[0].Memory).ToArray());
            Assert.Equal(200ul, results[1].X[0]);
            Assert.Equal([new CallerEnd.Done()], ends);
        }
    }

    [Fact]
    public void An_exception_is_told_with_its_syndrome_and_a_second_boot_is_not_listened_to()
    {
        var ends = new List<CallerEnd>();
        var table = new CallTable([new(Conduit.Smc, 0, [])], Address);
        new CallerConsole(table, _ => { }, ends.Add).Take([CallerLayout.SaysBegun, CallerLayout.SaysException, .. BitConverter.GetBytes(1ul), .. BitConverter.GetBytes(2ul), .. BitConverter.GetBytes(3ul)]);
        Assert.Equal([new CallerEnd.Faulted(1, 2, 3)], ends);
        new CallerConsole(table, _ => { }, ends.Add).Take([CallerLayout.SaysBegun, CallerLayout.SaysBegun, CallerLayout.SaysEnd]);
        Assert.Single(ends);
    }

    [Theory]
    [InlineData(CallerLayout.SaysEnd)] // before its calls
    [InlineData(0)]
    public void Any_other_word_ends_the_machine(byte word) =>
        Assert.Throws<IOException>(() => new CallerConsole(new([new(Conduit.Smc, 0, [])], Address), _ => { }, _ => { }).Take([CallerLayout.SaysBegun, word]));

    private static ulong[] Registers(byte[] bytes, int record, int count) =>
        [.. Enumerable.Range(0, count).Select(n => BitConverter.ToUInt64(bytes, record + CallerLayout.RecordX + (n * sizeof(ulong))))];
}

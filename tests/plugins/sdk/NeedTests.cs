using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>Functions that ask their host for more before they answer.</summary>
public sealed class NeedTests
{
    private const uint Id = 0xC300_0000;
    private const ulong Ram = 0x4000_0000;

    [Fact]
    public void A_function_is_called_again_with_what_it_asked_for_and_nothing_is_committed_before()
    {
        var calls = 0;
        var machine = Machine((in call, state) =>
        {
            calls++;
            Assert.True(call.TryRange(call[1], 8, out var range));
            return call.TryRead(range, out var bytes)
                ? (state with { Calls = state.Calls + 1 }, Answer.Value(bytes[0], bytes[7]))
                : new Need { Memory = [range] };
        });
        machine.Memory.Write(Ram + 8, [1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.Equal(Answer.Value(1, 8), machine.Call(Id, Ram + 8));
        Assert.Equal((2, 1), (calls, machine.StateOf<TableState>().Calls));
    }

    [Fact]
    public void What_was_read_once_leads_to_what_is_read_next()
    {
        var machine = Machine((in call, _) =>
        {
            Assert.True(call.TryRange(call[1], 8, out var pointer));
            if (!call.TryRead(pointer, out var address))
            {
                return new Need { Memory = [pointer] };
            }

            if (!call.TryRange(BitConverter.ToUInt64(address), 4, out var text))
            {
                return Answer.Status(-2);
            }

            return call.TryRead(text, out var bytes) ? Answer.Value(BitConverter.ToUInt32(bytes)) : new Need { Memory = [text] };
        });
        machine.Memory.Write(Ram, BitConverter.GetBytes(Ram + 0x100));
        machine.Memory.Write(Ram + 0x100, BitConverter.GetBytes(0x1234_5678u));
        Assert.Equal(Answer.Value(0x1234_5678), machine.Call(Id, Ram));
    }

    [Fact]
    public void Registers_and_system_registers_come_with_the_second_call()
    {
        var machine = Machine((in call, _) => call.TryRead(SystemRegister.SpEl1, out var sp)
            ? Answer.Value(call[6], call[17], sp)
            : new Need { Registers = [6, 17], System = [SystemRegister.SpEl1] });
        ulong[] arguments = [.. Enumerable.Range(1, 17).Select(n => (ulong)n)];
        var core = machine.Core(0) with { System = [new(SystemRegister.SpEl1, 0x9000)] };
        Assert.Equal(Answer.Value(6, 17, 0x9000), core.Call(Id, arguments));
    }

    [Fact]
    public void A_part_of_what_was_supplied_is_there_too()
    {
        var machine = Machine((in call, _) =>
        {
            Assert.True(call.TryRange(Ram, 64, out var whole));
            return call.TryRead(whole.Part(63, 1), out var last) && !call.TryRead(default(GuestRange), out ReadOnlySpan<byte> none) && none.IsEmpty ? Answer.Value(last[0]) : new Need { Memory = [whole] };
        });
        machine.Memory.Write(Ram + 63, [9]);
        Assert.Equal(Answer.Value(9), machine.Call(Id));
    }

    public static TheoryData<Func<GuestRange, Need>, string> Mistakes => new()
    {
        { _ => new Need(), "The function asks the host for nothing." },
        { _ => new Need { Memory = [default] }, "The function asks for memory that it has: nothing." },
        { _ => new Need { Registers = [5] }, "The function asks for x5; x6 to x17 can be asked for." },
        { _ => new Need { Registers = [18] }, "The function asks for x18; x6 to x17 can be asked for." },
        { _ => new Need { System = [0] }, "The function asks for the system register 0; there are SpEl0 to SctlrElc, each once." },
        { range => new Need { Memory = [range, range] }, "The function asks for 65536 bytes at once; 32768 are the most." },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void What_no_host_could_supply_is_a_fault_of_the_service(Func<GuestRange, Need> mistake, string sentence)
    {
        var machine = Machine((in call, _) => call.TryRange(Ram, GuestRange.MostBytes, out var range) ? mistake(range) : Answer.Success);
        Assert.Equal(Answer.NotSupported, machine.Call(Id));
        Assert.Equal(sentence, machine.LastFailure?.Exception.Message);
    }

    [Fact]
    public void Who_asks_for_the_same_again_or_for_ever_is_stopped()
    {
        var again = Machine((in call, _) => new Need { System = [SystemRegister.SpEl0] });
        Assert.Equal(Answer.NotSupported, again.Call(Id));
        Assert.Equal("The function asks for the system register SpEl0; there are SpEl0 to SctlrElc, each once.", again.LastFailure?.Exception.Message);

        var rounds = 0;
        var forever = Machine((in call, _) => call.TryRange(Ram + (ulong)(16 * rounds++), 8, out var next) ? new Need { Memory = [next] } : Answer.Success);
        Assert.Equal(Answer.NotSupported, forever.Call(Id));
        Assert.Equal(("The function asks the host for the 9th time in one call; 8 times are the most.", 9), (forever.LastFailure?.Exception.Message, rounds));
    }

    [Fact]
    public void An_answer_writes_RAM_alone()
    {
        var machine = Machine((in call, _) => Answer.Success with { Writes = [new(call[1], [1, 2])] });
        Assert.Equal(Answer.Success with { Writes = [new(Ram, [1, 2])] }, machine.Call(Id, Ram));
        Assert.Equal([1, 2], machine.Memory.Read(Ram, 2));
        Assert.Equal(Answer.NotSupported, machine.Call(Id, Ram - 1));
        Assert.Equal("The answer writes 2 bytes at 0x3fffffff, which is not all RAM of test, or more than 32768.", machine.LastFailure?.Exception.Message);
    }

    [Fact]
    public void What_an_answer_wrote_that_fell_back_is_not_there()
    {
        var machine = Machine((in call, _) => Answer.Success with { Writes = [new(Ram, [1, 2]), new(Ram + 1, [3, 4])] });
        machine.Memory.Write(Ram, [7, 8, 9]);
        machine.Call(Id);
        Assert.Equal([1, 3, 4], machine.Memory.Read(Ram, 3));
        machine.Core(0).FellBack();
        Assert.Equal([7, 8, 9], machine.Memory.Read(Ram, 3));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_supply_answers_its_need_or_it_does_not(bool isWhole)
    {
        var machine = TestMachine.Describe(1);
        Assert.True(GuestRange.TryCreate(machine, Ram, 4, out var range));
        var need = new Need { Memory = [range], Registers = [7], System = [SystemRegister.VbarElc] };
        Supply[] supplies = isWhole
            ? [need.Unused(default), new([new(range, [1, 2, 3, 4])], [new(7, 5)], [new(SystemRegister.VbarElc, 6)])]
            :
            [
                new([], [new(7, 5)], [new(SystemRegister.VbarElc, 6)]),
                new([new(range, [1, 2, 3])], [new(7, 5)], [new(SystemRegister.VbarElc, 6)]),
                new([new(range.Part(0, 3), [1, 2, 3, 4])], [new(7, 5)], [new(SystemRegister.VbarElc, 6)]),
                new([new(range, [1, 2, 3, 4])], [new(8, 5)], [new(SystemRegister.VbarElc, 6)]),
                new([new(range, [1, 2, 3, 4])], [new(7, 5), new(8, 5)], [new(SystemRegister.VbarElc, 6)]),
                new([new(range, [1, 2, 3, 4])], [new(7, 5)], [new(SystemRegister.SpEl0, 6)]),
            ];
        Assert.All(supplies, supply => Assert.Equal(isWhole, supply.Answers(need)));
    }

    private static TestMachine Machine(Serve<TableState> code) => new(new TableService("NEEDY", new() { { Id, "NEEDY", code } }));
}

using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>Long functions: work outside the machine's turn, an end inside it.</summary>
public sealed class WorkTests
{
    private const uint Long = 0xC300_0000;
    private const uint Count = 0x8300_0001;

    [Fact]
    public void Ends_on_the_state_of_then()
    {
        var machine = Machine(call => new Work<TableState>(_ =>
        {
            var product = call[1] * call[2];
            return state => (state with { Calls = state.Calls + 1 }, Answer.Value(product, (ulong)state.Calls));
        }));
        machine.Meanwhile = () => Assert.Equal(Answer.Value(1), machine.Core(1).Call(Count));
        Assert.Equal(Answer.Value(42, 1), machine.Call(Long, 6, 7));
        Assert.Equal(2, machine.StateOf<TableState>().Calls);
        Assert.Null(machine.Meanwhile);
    }

    [Fact]
    public void An_exception_in_the_work_or_at_its_end_is_the_service_s_fault_and_changes_nothing()
    {
        var inWork = Machine(_ => new Work<TableState>(_ => throw new InvalidOperationException("broken at work")));
        Assert.Equal(Answer.NotSupported, inWork.Call(Long));
        Assert.StartsWith("LONG failed in LONG: InvalidOperationException: broken at work", inWork.LastFailure?.ToString(), StringComparison.Ordinal);

        var atEnd = Machine(_ => new Work<TableState>(_ => _ => throw new InvalidOperationException("broken at the end")));
        Assert.Equal(Answer.NotSupported, atEnd.Call(Long));
        Assert.StartsWith("LONG failed in LONG: InvalidOperationException: broken at the end", atEnd.LastFailure?.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, atEnd.StateOf<TableState>().Calls);
    }

    [Fact]
    public void Its_end_is_an_answer_and_nothing_else()
    {
        var machine = Machine(_ => new Work<TableState>(_ => _ => new Need { System = [SystemRegister.SpEl0] }));
        Assert.Equal(Answer.NotSupported, machine.Call(Long));
        Assert.Equal("The end of a long function is an answer: it asks the host for nothing, and begins nothing.", machine.LastFailure?.Exception.Message);

        machine = Machine(_ => new Work<TableState>(_ => null!));
        Assert.Equal(Answer.NotSupported, machine.Call(Long));
        Assert.Equal("The long function returned nothing to finish with.", machine.LastFailure?.Exception.Message);
    }

    [Fact]
    public void May_ask_for_memory_first()
    {
        var machine = new TestMachine(new TableService("LONG", new()
        {
            { Long, "LONG", (in call, _) =>
                {
                    Assert.True(call.TryRange(call[1], 1, out var range));
                    if (!call.TryRead(range, out var bytes))
                    {
                        return new Need { Memory = [range] };
                    }

                    var first = bytes[0];
                    return new Work<TableState>(_ => _ => Answer.Value(first));
                }
            },
        }));
        machine.Memory.Write(0x4000_0000, [9]);
        Assert.Equal(Answer.Value(9), machine.Call(Long, 0x4000_0000));
    }

    private static TestMachine Machine(Func<Hypercall, Work<TableState>> work) => new(2, new TableService("LONG", new()
    {
        { Long, "LONG", (in call, _) => work(call) },
        { Count, "COUNT", (in _, state) => (state with { Calls = state.Calls + 1 }, Answer.Value((ulong)state.Calls + 1)) },
    }));
}

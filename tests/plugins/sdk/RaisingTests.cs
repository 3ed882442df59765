using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>Functions that raise events at other services, in one commit with their answer.</summary>
public sealed class RaisingTests
{
    private const uint Raise = 0xC300_0000;

    [Fact]
    public void Both_services_change_or_neither()
    {
        var machine = Machine(new(7, IfRefused: -6), new Bell("BELL"));
        Assert.Equal(Answer.Status(0) with { Raises = [new(7, IfRefused: -6)] }, machine.Call(Raise));
        Assert.Equal((1, new Rung { Events = [7] }), (machine.StateOf<TableState>().Calls, machine.StateOf<Rung>()));

        machine = Machine(new(13, IfRefused: -6), new Bell("BELL"));
        Assert.Equal(Answer.Status(-6), machine.Call(Raise));
        Assert.Equal("raise 0xd was refused: BELL has no 13.", machine.LastNote);
        Assert.Equal((0, new Rung()), (machine.StateOf<TableState>().Calls, machine.StateOf<Rung>()));
    }

    [Fact]
    public void Without_a_status_for_it_a_refusal_is_a_note_for_the_operator()
    {
        var machine = Machine(new(13), new Bell("BELL"));
        Assert.Equal(Answer.Status(0) with { Raises = [new(13)] }, machine.Call(Raise));
        Assert.Equal(("raise 0xd was refused: BELL has no 13.", 1), (machine.LastNote, machine.StateOf<TableState>().Calls));
    }

    [Theory]
    [InlineData(null, "raise 0x7 was refused: no other service, or more than one, takes no events")]
    [InlineData("bell2", null)]
    [InlineData("RAISER", "raise 0x7 was refused: RAISER takes no events")]
    [InlineData("NOBODY", "raise 0x7 was refused: NOBODY takes no events")]
    public void Goes_to_the_one_that_is_named_or_to_the_only_one(string? service, string? note)
    {
        var machine = Machine(new(7, Service: service), new Bell("BELL1"), new Bell("BELL2"));
        machine.Call(Raise);
        Assert.Equal(note, machine.LastNote);
        Assert.Equal(service == "bell2" ? """{"Events":[7]}""" : """{"Events":[]}""", machine.StateOf("BELL2").Replace(" ", "", StringComparison.Ordinal).ReplaceLineEndings(""));
    }

    [Fact]
    public void A_taker_that_fails_undoes_the_call()
    {
        var machine = Machine(new(666), new Bell("BELL"));
        Assert.Equal(Answer.NotSupported, machine.Call(Raise));
        Assert.StartsWith("BELL failed in raise: InvalidOperationException: Cracked.", machine.LastFailure?.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, machine.StateOf<TableState>().Calls);
    }

    [Fact]
    public void Sixteen_at_once_are_the_most()
    {
        var machine = new TestMachine(new TableService("RAISER", new()
        {
            { Raise, "RAISE", (in call) => Answer.Success with { Raises = [.. Enumerable.Repeat(new EventToRaise(7), (int)call[1])] } },
        }), new Bell("BELL"));
        machine.Call(Raise, 16);
        Assert.Equal(16, machine.StateOf<Rung>().Events.Count);
        Assert.Equal(Answer.NotSupported, machine.Call(Raise, 17));
        Assert.Equal("The answer raises 17 events; 16 are the most.", machine.LastFailure?.Exception.Message);
    }

    private static TestMachine Machine(EventToRaise raise, params Service[] takers) => new([
        new TableService("RAISER", new()
        {
            { Raise, "RAISE", (in _, state) => (state with { Calls = state.Calls + 1 }, Answer.Status(0) with { Raises = [raise] }) },
        }),
        .. takers,
    ]);

    private sealed class Bell(string name) : Service<Rung>, IRaisable<Rung>
    {
        public override string Name => name;

        public override string Version => "0";

        public override FunctionTable<Rung> Functions { get; } = [];

        public Raised<Rung> Raise(Rung state, in RaisedEvent raised) => raised.Event switch
        {
            666 => throw new InvalidOperationException("Cracked."),
            13 => new(state, RaiseResult.Refused, $"{name} has no 13."),
            _ => new(state with { Events = [.. state.Events, raised.Event] }, RaiseResult.Delivered, "Rung."),
        };
    }

    private sealed record Rung
    {
        public ValueArray<ulong> Events { get; init; } = [];
    }
}

using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>Events from outside, and the states that operators read.</summary>
public sealed class RaiseTests
{
    public static TheoryData<string, StateTable> NoTables => new()
    {
        { "The service gave a table without a title or without columns.", null! },
        { "The service gave a table without a title or without columns.", new(null!, ["a"], []) },
        { "The service gave a table without a title or without columns.", new("T", [], [[]]) },
        { "The service gave a table without a title or without columns.", new("T", ["a", null!], []) },
        { "Row 1 of T has no cell for each of its 2 columns, or more.", new("T", ["a", "b"], [["1", "2"], ["1"]]) },
        { "Row 0 of T has no cell for each of its 2 columns, or more.", new("T", ["a", "b"], [["1", "2", "3"]]) },
        { "Row 0 of T has no cell for each of its 2 columns, or more.", new("T", ["a", "b"], [["1", null!]]) },
    };

    [Fact]
    public void An_event_reaches_its_service_with_core_machine_and_time()
    {
        var machine = new TestMachine(2, new RaisableService());
        Assert.Equal((RaiseResult.Delivered, "7 at 0.0.0.1 of test, 2000."), machine.Raise(7, core: 1));
        Assert.Equal((RaiseResult.Delivered, "18446744073709551615 at no core of test, 2000."), machine.Raise(ulong.MaxValue));
        Assert.Equal([new("Taken", ["events"], [["2"]])], machine.Tables);
        Assert.Empty(machine.Failures);
    }

    [Theory]
    [InlineData(RaiseResult.Delivered, 1)]
    [InlineData(RaiseResult.Pending, 1)]
    [InlineData(RaiseResult.Refused, 0)] // whatever the service gave for a state
    public void What_is_refused_changes_nothing(RaiseResult result, int taken)
    {
        var machine = new TestMachine(new RaisableService { Raising = (_, _) => new(new() { Calls = 1 }, result, "So it is.") });
        Assert.Equal((result, "So it is."), machine.Raise(0));
        Assert.Equal(taken, machine.StateOf<TableState>().Calls);
    }

    [Fact]
    public void A_service_that_throws_refuses_with_a_sentence()
    {
        var machine = new TestMachine(new RaisableService { Raising = (_, _) => throw new InvalidOperationException("Not\nthis one.") });
        var (result, text) = machine.Raise(1);
        Assert.Equal(RaiseResult.Refused, result);
        Assert.StartsWith("Nothing was changed: RAISABLE failed in raise: InvalidOperationException: Not\uFFFDthis one.", text, StringComparison.Ordinal);
        Assert.Equal(("RAISABLE", "raise"), (machine.LastFailure!.Service.Name, machine.LastFailure.During));
        Assert.Equal(0, machine.StateOf<TableState>().Calls);
    }

    [Theory]
    [InlineData(0, true, "The service gave the result 0, which is none.")] // default
    [InlineData(4, true, "The service gave the result 4, which is none.")]
    [InlineData(1, false, "The service returned no state.")]
    [InlineData(2, false, "The service returned no state.")]
    public void What_is_no_outcome_is_a_fault_of_its_service(byte result, bool hasState, string fault)
    {
        var machine = new TestMachine(new RaisableService { Raising = (state, _) => new(hasState ? state with { Calls = 1 } : null!, (RaiseResult)result, "") });
        Assert.Equal(RaiseResult.Refused, machine.Raise(1).Result);
        Assert.Equal(fault, machine.LastFailure!.Exception.Message);
        Assert.Equal(0, machine.StateOf<TableState>().Calls);
    }

    [Fact]
    public void A_service_that_takes_no_part_takes_no_events_and_shows_its_state()
    {
        var (raisable, other) = (new RaisableService(), new RaisableService("OTHER", 0x8200_0001));
        var all = new ServiceSet([raisable, other, new TableService("PLAIN", new() { { 0x8200_0002, "F", (in _) => Answer.Success } })]);
        Assert.Equal(["RAISABLE", "OTHER"], all.Raisable.Select(service => service.Name));
        var machine = TestMachine.Describe(1);
        RaisedEvent raised = new(1, null, machine, default);
        foreach (var some in (ServiceSet[])[all.Without(raisable), all.Without(new HashSet<FunctionId> { new(0x8200_0000) })])
        {
            Assert.Equal(["OTHER"], some.Raisable.Select(service => service.Name));
            Assert.Equal((false, true), (some.TakesPart(raisable), some.TakesPart(other)));
            var state = all.Raise(all.NewState(machine), raisable, raised).State;
            Assert.Equal(new Raised(state, RaiseResult.Refused, "RAISABLE takes no part on test.", null), some.Raise(state, raisable, raised));
            Assert.Equal(RaiseResult.Delivered, some.Raise(state, other, raised).Result);
            Assert.Equal([new("Taken", ["events"], [["1"]])], some.Tables(state, raisable, machine, out var failure));
            Assert.Null(failure);
            Assert.Contains("\"Calls\": 1", some.Save(state, raisable), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_service_of_another_kind_refuses_and_has_no_tables()
    {
        var plain = new TableService("PLAIN", new() { { 0x8200_0000, "F", (in _) => Answer.Success } });
        var services = new ServiceSet([plain]);
        var machine = TestMachine.Describe(1);
        var state = services.NewState(machine);
        Assert.False(plain.IsRaisable);
        Assert.Equal(new Raised(state, RaiseResult.Refused, "PLAIN takes no events.", null), services.Raise(state, plain, new(1, null, machine, default)));
        Assert.Empty(services.Tables(state, plain, machine, out _));
        Assert.Throws<ArgumentException>(() => services.Raise(state, new RaisableService(), new(1, null, machine, default)));
    }

    [Theory]
    [MemberData(nameof(NoTables))]
    public void What_is_no_table_is_a_fault_of_its_service(string fault, StateTable table)
    {
        var machine = new TestMachine(
            new RaisableService { Showing = _ => [new("Good", ["a"], []), table] },
            new RaisableService("OTHER", 0x8200_0001));
        Assert.Equal([new("Taken", ["events"], [["0"]])], machine.Tables);
        Assert.Equal(("RAISABLE", "tables", fault), (machine.LastFailure!.Service.Name, machine.LastFailure.During, machine.LastFailure.Exception.Message));
    }

    [Theory]
    [InlineData(16, 16, null)]
    [InlineData(17, 0, "The service gave 17 tables; 16 are the most.")]
    public void Tables_are_counted(int given, int shown, string? fault)
    {
        var machine = new TestMachine(new RaisableService { Showing = _ => [.. Enumerable.Range(0, given).Select(i => new StateTable($"T{i}", ["a"], []))] });
        Assert.Equal(shown, machine.Tables.Count);
        Assert.Equal(fault, machine.LastFailure?.Exception.Message);
    }
}

using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

/// <summary>A service whose events and tables are the test's to say; its state counts what it took.</summary>
internal sealed class RaisableService(string name = "RAISABLE", uint id = 0x8200_0000) : Service<TableState>, IRaisable<TableState>, IStateTables<TableState>
{
    public override string Name => name;

    public override string Version => "0";

    public override FunctionTable<TableState> Functions { get; } = new()
    {
        { id, "ANY", (in Hypercall _) => Answer.Success },
    };

    public Func<TableState, RaisedEvent, Raised<TableState>> Raising { get; init; } =
        (state, raised) => new(state with { Calls = state.Calls + 1 }, RaiseResult.Delivered, $"{raised.Event} at {raised.Core?.ToString() ?? "no core"} of {raised.Machine.Name}, {raised.Now:yyyy}.");

    public Func<TableState, ValueArray<StateTable>> Showing { get; init; } = state => [new("Taken", ["events"], [[$"{state.Calls}"]])];

    public Raised<TableState> Raise(TableState state, in RaisedEvent raised) => Raising(state, raised);

    public ValueArray<StateTable> Tables(TableState state, MachineDescription machine) => Showing(state);
}

using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

/// <summary>A service that throws at every report of its machine's cores.</summary>
internal sealed class BrittleService(FunctionTable<TableState> functions) : Service<TableState>, ICoreLifecycle<TableState>
{
    public override string Name => "BRITTLE";

    public override string Version => "0";

    public override FunctionTable<TableState> Functions => functions;

    public TableState Attached(TableState state, MachineDescription machine) => throw new InvalidOperationException("no");

    public TableState CoreChanged(TableState state, CoreReport report) => throw new InvalidOperationException("no");
}

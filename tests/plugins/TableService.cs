using Hypercalls.Sdk;

namespace Hypercalls.Tests;

/// <summary>A service made of a table alone, for tests of what surrounds it.</summary>
internal sealed class TableService(string name, FunctionTable<TableState> functions) : Service<TableState>
{
    public override string Name => name;

    public override string Version => "0";

    public override FunctionTable<TableState> Functions => functions;
}

internal sealed record TableState
{
    public int Calls { get; init; }
}

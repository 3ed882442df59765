using Hypercalls.Sdk;

namespace Hypercalls.Tests.Twin;

/// <summary>Claims an ID that HELLO has: the two cannot be loaded together.</summary>
public sealed class TwinService : Service<object>
{
    public override string Name => "TWIN";

    public override string Version => "1.0";

    public override FunctionTable<object> Functions { get; } = new()
    {
        { 0xC200_0001, "TWIN_ADD", Add, "a", "b" },
    };

    private static Answer Add(in Hypercall call) => Answer.Value(call[1] + call[2]);
}

using Hypercalls.Sdk;

namespace Hypercalls.Tests.Twin;

/// <summary>Claims an ID that HELLO has: the two cannot be loaded together. Takes every event.</summary>
public sealed class TwinService : Service<object>, IRaisable<object>
{
    public override string Name => "TWIN";

    public override string Version => "1.0";

    public override FunctionTable<object> Functions { get; } = new()
    {
        { 0xC200_0001, "TWIN_ADD", Add, "a", "b" },
    };

    public Raised<object> Raise(object state, in RaisedEvent raised) => new(state, RaiseResult.Delivered, $"Event {raised.Event} it is.");

    private static Answer Add(in Hypercall call) => Answer.Value(call[1] + call[2]);
}

using Hypercalls.Sdk;

namespace Hypercalls.Hello;

/// <summary>A vendor's own functions in the silicon partner range: the smallest whole service.</summary>
public sealed class HelloService : Service<HelloState>
{
    /// <inheritdoc/>
    public override string Name => "HELLO";

    /// <inheritdoc/>
    public override string Version => "1.0";

    /// <inheritdoc/>
    public override FunctionTable<HelloState> Functions { get; } = new()
    {
        { 0x8200_0000,              "HELLO_VERSION", HelloVersion, FunctionTraits.Version },
        { 0x8200_0001, 0xC200_0001, "HELLO_ADD",     Add,          "a", "b" },
        { 0x8200_0002,              "HELLO_COUNT",   Count },
    };

    private static Answer HelloVersion(in Hypercall call) => Answer.Value(0x1_0000);

    private static Answer Add(in Hypercall call) => Answer.Value(call.Function.IsSmc64 ? call[1] + call[2] : (uint)(call[1] + call[2]));

    private static Outcome<HelloState> Count(in Hypercall call, HelloState state) =>
        (state with { Count = state.Count + 1 }, Answer.Value(state.Count + 1));
}

/// <summary>What the service remembers of one machine.</summary>
public sealed record HelloState
{
    /// <summary>How often HELLO_COUNT was called since the reset.</summary>
    public uint Count { get; init; }
}

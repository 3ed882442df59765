using Hypercalls.Sdk;

namespace Acme;

/// <summary>Fast calls of a silicon partner (DEN0028, SiP service calls). Identifiers are one service's alone: 0xC200_0000 to 0xC200_FEFF are to choose from.</summary>
public sealed class AcmeService(AcmeSettings settings) : Service<AcmeState>
{
    public override string Name => "ACME";

    public override string Version => "1.0";

    public override FunctionTable<AcmeState> Functions => field ??= new()
    {
        { 0xC200_0100, "ACME_VERSION", ServiceVersion, FunctionTraits.Version },
        { 0xC200_0101, "ACME_ADD",     Add,            "a", "b" },
        { 0xC200_0102, "ACME_COUNT",   Count },
    };

    private static Answer ServiceVersion(in Hypercall call) => Answer.Value(0x1_0000);

    private static Answer Add(in Hypercall call) => Answer.Value(call[1] + call[2]);

    private Outcome<AcmeState> Count(in Hypercall call, AcmeState state) =>
        (state with { Count = state.Count + settings.Step }, Answer.Value(state.Count + settings.Step));
}

/// <summary>What the service knows of one machine. The daemon keeps it; a reset begins it anew.</summary>
public sealed record AcmeState
{
    public uint Count { get; init; }
}

/// <summary>What the operator sets: the member ACME of services.json, or --set ACME.step=10.</summary>
public sealed record AcmeSettings
{
    public uint Step { get; init; } = 1;
}

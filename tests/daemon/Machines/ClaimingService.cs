using Hypercalls.Sdk;

namespace Hypercalls.Tests.Daemon.Machines;

/// <summary>A service that takes immediates and has no functions.</summary>
internal sealed class ClaimingService(params ImmediateClaim[] claims) : Service<TableState>
{
    public override string Name => "CLAIMING";

    public override string Version => "0";

    public override FunctionTable<TableState> Functions { get; } = [];

    public override IReadOnlyList<ImmediateClaim> Claims => claims;

    protected override Serve<TableState> Claimed => (in call, _) => Answer.Value(call[1]);
}

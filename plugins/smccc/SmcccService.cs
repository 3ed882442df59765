using Hypercalls.Sdk;

namespace Hypercalls.Smccc;

/// <summary>The Arm Architecture calls by which a guest learns what it may use (DEN0028, Arm Architecture Calls).</summary>
public sealed class SmcccService : Service<SmcccState>
{
    private const uint Version1Dot1 = 0x1_0001;

    /// <inheritdoc/>
    public override string Name => "SMCCC";

    /// <inheritdoc/>
    public override string Version => "1.1";

    /// <inheritdoc/>
    public override Type Statuses => typeof(SmcccStatus);

    /// <inheritdoc/>
    public override FunctionTable<SmcccState> Functions { get; } = new()
    {
        { 0x8000_0000, "SMCCC_VERSION",       SmcccVersion, FunctionTraits.Version | FunctionTraits.Mandatory },
        { 0x8000_0001, "SMCCC_ARCH_FEATURES", ArchFeatures, FunctionTraits.Mandatory, "arch_func_id" },
    };

    private static Answer SmcccVersion(in Hypercall call) => Answer.Value(Version1Dot1);

    private static Answer ArchFeatures(in Hypercall call)
    {
        var asked = new FunctionId((uint)call[1]);
        return asked.IsFast && asked.Owner == OwningEntity.Architecture && call.Served.Contains(asked)
            ? Answer.Success
            : Answer.Status((long)SmcccStatus.NotSupported);
    }
}

/// <summary>Return codes of the architecture calls (DEN0028, Return codes).</summary>
public enum SmcccStatus
{
    /// <summary>SUCCESS.</summary>
    Success = 0,

    /// <summary>NOT_SUPPORTED.</summary>
    NotSupported = -1,

    /// <summary>NOT_REQUIRED.</summary>
    NotRequired = -2,

    /// <summary>INVALID_PARAMETER.</summary>
    InvalidParameter = -3,
}

/// <summary>Nothing is remembered.</summary>
public sealed record SmcccState;

namespace Hypercalls.Smccc;

/// <summary>What the operator may set.</summary>
public sealed record SmcccSettings
{
    /// <summary>What SMCCC_VERSION reports: 1.0 to 1.3. With 1.0 no function is served: guests take that for version 1.0.</summary>
    public Version Version { get; init; } = new(1, 3);

    /// <summary>The answers to SMCCC_ARCH_SOC_ID; without them it is not served.</summary>
    public SocId? SocId { get; init; }
}

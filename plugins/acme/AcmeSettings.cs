namespace Hypercalls.Acme;

/// <summary>What the operator chooses.</summary>
public sealed record AcmeSettings
{
    /// <summary>What quotes are made with.</summary>
    public string Key { get; init; } = "acme";

    /// <summary>How long a quote takes: rounds of key derivation, 1 to 500,000.</summary>
    public int Rounds { get; init; } = 20_000;

    /// <summary>The SDEI event raised when somebody measures into a locked slot; none by default.</summary>
    public uint? TamperEvent { get; init; }
}

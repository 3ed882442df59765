namespace Hypercalls.Sdk;

/// <summary>The instruction that made a call (DEN0028, Conduits).</summary>
public enum Conduit : byte
{
    /// <summary>SMC.</summary>
    Smc = 1,

    /// <summary>HVC.</summary>
    Hvc = 2,
}

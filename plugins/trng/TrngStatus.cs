namespace Hypercalls.Trng;

/// <summary>Return codes (DEN0098, Return codes).</summary>
public enum TrngStatus
{
    /// <summary>SUCCESS.</summary>
    Success = 0,

    /// <summary>NOT_SUPPORTED.</summary>
    NotSupported = -1,

    /// <summary>INVALID_PARAMETERS.</summary>
    InvalidParameters = -2,

    /// <summary>NO_ENTROPY.</summary>
    NoEntropy = -3,
}

namespace Hypercalls.Sdei;

/// <summary>Return codes (DEN0054, Return codes).</summary>
public enum SdeiStatus
{
    /// <summary>SUCCESS.</summary>
    Success = 0,

    /// <summary>NOT_SUPPORTED.</summary>
    NotSupported = -1,

    /// <summary>INVALID_PARAMETERS.</summary>
    InvalidParameters = -2,

    /// <summary>DENIED.</summary>
    Denied = -3,

    /// <summary>PENDING.</summary>
    Pending = -5,

    /// <summary>OUT_OF_RESOURCE.</summary>
    OutOfResource = -10,
}

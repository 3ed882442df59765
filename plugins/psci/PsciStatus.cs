namespace Hypercalls.Psci;

/// <summary>Return codes (DEN0022, Return error codes).</summary>
public enum PsciStatus
{
    /// <summary>SUCCESS.</summary>
    Success = 0,

    /// <summary>NOT_SUPPORTED.</summary>
    NotSupported = -1,

    /// <summary>INVALID_PARAMETERS.</summary>
    InvalidParameters = -2,

    /// <summary>DENIED.</summary>
    Denied = -3,

    /// <summary>ALREADY_ON.</summary>
    AlreadyOn = -4,

    /// <summary>ON_PENDING.</summary>
    OnPending = -5,

    /// <summary>INTERNAL_FAILURE.</summary>
    InternalFailure = -6,

    /// <summary>NOT_PRESENT.</summary>
    NotPresent = -7,

    /// <summary>DISABLED.</summary>
    Disabled = -8,

    /// <summary>INVALID_ADDRESS.</summary>
    InvalidAddress = -9,
}

namespace Hypercalls.Acme;

/// <summary>Return codes of this vendor's own: each specification numbers errors its own way.</summary>
public enum AcmeStatus
{
    /// <summary>Done.</summary>
    Success = 0,

    /// <summary>No such function.</summary>
    NotSupported = -1,

    /// <summary>A slot that is not there, or memory that is none.</summary>
    InvalidParameter = -2,

    /// <summary>The slot is locked.</summary>
    Locked = -3,
}

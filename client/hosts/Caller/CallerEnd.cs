namespace Hypercalls.Hosts.Caller;

/// <summary>Why the caller makes no more calls.</summary>
public abstract record CallerEnd
{
    private CallerEnd()
    {
    }

    /// <summary>All were made, and returned.</summary>
    public sealed record Done : CallerEnd;

    /// <summary>Its core was turned off by a call.</summary>
    public sealed record CoreOff : CallerEnd;

    /// <summary>Its core was suspended by a call, and nothing wakes it.</summary>
    public sealed record CoreSuspended : CallerEnd;

    /// <summary>The machine was reset by a call.</summary>
    public sealed record Reset : CallerEnd;

    /// <summary>It took an exception (DDI 0487, ESR_ELx, ELR_ELx, FAR_ELx).</summary>
    public sealed record Faulted(ulong Esr, ulong Elr, ulong Far) : CallerEnd;
}

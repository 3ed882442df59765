namespace Hypercalls.Sdk;

/// <summary>What a kernel between the guest and the services does with calls of immediate 0, before any service could see them.</summary>
public interface IKernelShare
{
    /// <summary>What becomes of a call.</summary>
    /// <param name="id">All 32 bits of w0.</param>
    /// <param name="conduit">SMC or HVC.</param>
    /// <param name="isAArch32">Whether the caller runs in AArch32 state.</param>
    /// <returns>One of three.</returns>
    KernelAnswer Of(FunctionId id, Conduit conduit, bool isAArch32);
}

/// <summary>What a kernel does with a call.</summary>
public enum KernelAnswer : byte
{
    /// <summary>The services see it.</summary>
    Forwarded,

    /// <summary>The kernel serves it itself.</summary>
    Answered,

    /// <summary>Nobody serves it: denied, or kept by a kernel that has no answer.</summary>
    Refused,
}

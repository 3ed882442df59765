namespace Hypercalls.Client;

/// <summary>What a host does with a hypercall that gets no answer before its deadline.</summary>
public enum FallbackPolicy
{
    /// <summary>The guest gets NOT_SUPPORTED: x0 = −1, x1 to x3 = 0.</summary>
    NotSupported,

    /// <summary>The vCPU waits until there is an answer, for as long as the machine runs; interrupts of the guest wait with it.</summary>
    Wait,

    /// <summary>The machine stops with a report.</summary>
    Stop,
}

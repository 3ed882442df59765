using Hypercalls.Client.Kernel;
using Hypercalls.Hosts;

namespace Hypercalls.Kvm;

/// <summary>What machine to make and what to run in it: 1 to 8 cores at EL1.</summary>
public sealed record KvmOptions : HostOptions
{
    /// <summary>Who answers PSCI.</summary>
    public PsciOwner Psci { get; init; } = PsciOwner.Daemon;

    /// <summary>Ranges of function identifiers that the kernel refuses by itself, forwarded to nobody; none may touch those that it reserves.</summary>
    public IReadOnlyList<(uint First, uint Last)> Deny { get; init; } = [];

    /// <summary>The filter that follows.</summary>
    internal IReadOnlyList<FilterRange> Filter => KvmFilter.Of(Psci, Deny);
}

/// <summary>Who answers PSCI.</summary>
public enum PsciOwner
{
    /// <summary>The daemon, as every other call.</summary>
    Daemon,

    /// <summary>KVM itself: cores start and stop unseen, so services that must know of it are refused.</summary>
    Kernel,
}

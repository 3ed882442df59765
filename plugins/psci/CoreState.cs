using Hypercalls.Sdk;

namespace Hypercalls.Psci;

/// <summary>One core.</summary>
/// <param name="Core">Its affinity.</param>
/// <param name="Power">Its state.</param>
/// <param name="StartedBy">While ON_PENDING, the core whose CPU_ON is under way.</param>
/// <param name="Requested">While suspended, the states it asked for: its own, then those of its nodes from level 1 up.</param>
public readonly record struct CoreState(Mpidr Core, PowerState Power, Mpidr? StartedBy = null, ValueArray<LocalState> Requested = default);

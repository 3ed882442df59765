namespace Hypercalls.Psci;

/// <summary>Results of AFFINITY_INFO (DEN0022, AFFINITY_INFO).</summary>
public enum AffinityInfo
{
    /// <summary>ON: some core of the node is on.</summary>
    On = 0,

    /// <summary>OFF: every core of the node is off.</summary>
    Off = 1,

    /// <summary>ON_PENDING: none is on, some core is about to be.</summary>
    OnPending = 2,

    /// <summary>DISABLED: no core of the node can be started.</summary>
    Disabled = -8,
}

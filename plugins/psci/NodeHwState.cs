namespace Hypercalls.Psci;

/// <summary>Results of NODE_HW_STATE (DEN0022, NODE_HW_STATE).</summary>
public enum NodeHwState
{
    /// <summary>HW_ON.</summary>
    On = 0,

    /// <summary>HW_OFF.</summary>
    Off = 1,

    /// <summary>HW_STANDBY: standby or retention.</summary>
    Standby = 2,
}

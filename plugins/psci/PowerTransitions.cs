using Hypercalls.Sdk;
using static Hypercalls.Psci.PowerState;

namespace Hypercalls.Psci;

/// <summary>The states of one core, event by event (DEN0022, CPU_ON; CPU_OFF; CPU_SUSPEND; CPU_FREEZE; AFFINITY_INFO).</summary>
public static class PowerTransitions
{
#pragma warning disable format // tables, to be read by column

    /// <summary>CPU_ON of this core.</summary>
    /// <param name="power">Of the core.</param>
    /// <returns>Its next state and the caller's result.</returns>
    public static (PowerState Next, PsciStatus Status) CpuOn(PowerState power) => power switch
    {
        Off or Frozen               => (OnPending,   PsciStatus.Success),
        OnPending                   => (OnPending,   PsciStatus.OnPending),
        On or Suspended or Freezing => (power,       PsciStatus.AlreadyOn),
        _                           => (Unavailable, PsciStatus.Denied),
    };

    /// <summary>
    /// The host reports this core. What does not fit a state leaves it, as it speaks of an older one: that a core stopped, while it is
    /// ON_PENDING; that it started, while it already sleeps or leaves.
    /// </summary>
    /// <param name="power">Of the core.</param>
    /// <param name="change">What happened.</param>
    /// <returns>Its next state.</returns>
    public static PowerState Reported(PowerState power, CoreChange change) => (change, power) switch
    {
        (CoreChange.Started, Suspended or Freezing) => power,
        (CoreChange.Started, _)                     => On,
        (CoreChange.Stopped, On or Suspended)       => Off,
        (CoreChange.Stopped, Freezing)              => Frozen,
        (CoreChange.Woke,    Suspended)             => On,
        (CoreChange.Refused, OnPending)             => Off,
        _                                           => power,
    };

    /// <summary>The host lists this core.</summary>
    /// <param name="power">As the host knows it.</param>
    /// <returns>Its state: the list wins over what was known.</returns>
    public static PowerState Listed(CorePower power) => power switch
    {
        CorePower.On        => On,
        CorePower.Off       => Off,
        CorePower.Suspended => Suspended,
        _                   => Unavailable,
    };

    /// <summary>What AFFINITY_INFO says of this core.</summary>
    /// <param name="power">Of the core.</param>
    /// <returns>ON, OFF, ON_PENDING or DISABLED.</returns>
    public static AffinityInfo Info(PowerState power) => power switch
    {
        On or Suspended or Freezing => AffinityInfo.On,
        OnPending                   => AffinityInfo.OnPending,
        Off or Frozen               => AffinityInfo.Off,
        _                           => AffinityInfo.Disabled,
    };

    /// <summary>What AFFINITY_INFO says of a node that holds two cores, or two nodes: ON outweighs ON_PENDING, that OFF, that DISABLED.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    /// <returns>Of both together.</returns>
    public static AffinityInfo Info(AffinityInfo left, AffinityInfo right) => (left, right) switch
    {
        (AffinityInfo.On,        _) or (_, AffinityInfo.On)        => AffinityInfo.On,
        (AffinityInfo.OnPending, _) or (_, AffinityInfo.OnPending) => AffinityInfo.OnPending,
        (AffinityInfo.Off,       _) or (_, AffinityInfo.Off)       => AffinityInfo.Off,
        _                                                          => AffinityInfo.Disabled,
    };

    /// <summary>Whether the core is down until CPU_ON, for calls that want all others to be OFF.</summary>
    /// <param name="power">Of the core.</param>
    /// <returns>True for OFF, frozen and unavailable.</returns>
    public static bool IsDown(PowerState power) => power is Off or Frozen or Unavailable;

    /// <summary>What NODE_HW_STATE says of a node.</summary>
    /// <param name="state">Of the node.</param>
    /// <returns>HW_ON, HW_OFF or HW_STANDBY.</returns>
    public static NodeHwState HwState(LocalState state) => state switch
    {
        LocalState.Run                             => NodeHwState.On,
        LocalState.Standby or LocalState.Retention => NodeHwState.Standby,
        _                                          => NodeHwState.Off,
    };
#pragma warning restore format
}

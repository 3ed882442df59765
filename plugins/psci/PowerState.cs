using System.Text.Json.Serialization;

namespace Hypercalls.Psci;

/// <summary>The power of a core (DEN0022, CPU_ON; CPU_FREEZE; AFFINITY_INFO).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PowerState>))]
public enum PowerState
{
    /// <summary>OFF.</summary>
    Off,

    /// <summary>ON_PENDING: CPU_ON accepted, the core not yet running.</summary>
    OnPending,

    /// <summary>ON.</summary>
    On,

    /// <summary>ON, waiting in a suspend call for a wake-up event.</summary>
    Suspended,

    /// <summary>ON: CPU_FREEZE accepted, the core not yet stopped.</summary>
    Freezing,

    /// <summary>Down by CPU_FREEZE: interrupts do not wake it, CPU_ON starts it.</summary>
    Frozen,

    /// <summary>Present, but its host cannot start it.</summary>
    Unavailable,
}

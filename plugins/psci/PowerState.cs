using System.Text.Json.Serialization;

namespace Hypercalls.Psci;

/// <summary>The power of a core (DEN0022, CPU_ON; AFFINITY_INFO).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PowerState>))]
public enum PowerState
{
    /// <summary>OFF.</summary>
    Off,

    /// <summary>ON_PENDING: CPU_ON accepted, the core not yet running.</summary>
    OnPending,

    /// <summary>ON.</summary>
    On,

    /// <summary>ON, waiting in CPU_SUSPEND for a wake-up event.</summary>
    Suspended,

    /// <summary>Present, but its host cannot start it.</summary>
    Unavailable,
}

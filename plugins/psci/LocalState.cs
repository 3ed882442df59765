using System.Text.Json.Serialization;

namespace Hypercalls.Psci;

/// <summary>The state of one node of the power topology, the deeper the greater; the numbers are those of the recommended StateID (DEN0022, Recommended StateID encoding).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LocalState>))]
public enum LocalState : byte
{
    /// <summary>Some core of the node runs.</summary>
    Run = 0,

    /// <summary>Standby: it goes on at once.</summary>
    Standby = 1,

    /// <summary>Retention: it keeps its context.</summary>
    Retention = 2,

    /// <summary>Powerdown: its context is lost.</summary>
    PowerDown = 3,

    /// <summary>Every core of it is off: nothing that CPU_SUSPEND asks for.</summary>
    Off = 4,
}

using System.Text.Json.Serialization;

namespace Hypercalls.Psci;

/// <summary>Who chooses the states of nodes above the cores (DEN0022, PSCI_SET_SUSPEND_MODE).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SuspendMode>))]
public enum SuspendMode
{
    /// <summary>Platform-coordinated: each core votes, the shallowest vote wins.</summary>
    PlatformCoordinated = 0,

    /// <summary>OS-initiated: the last core to go down says it.</summary>
    OsInitiated = 1,
}

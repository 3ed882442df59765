using System.Text.Json.Serialization;

namespace Hypercalls.Psci;

/// <summary>The format of power_state, of which a platform uses exactly one (DEN0022, power_state parameter).</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StateIdFormat>))]
public enum StateIdFormat
{
    /// <summary>StateID 15:0, StateType 16, PowerLevel 25:24.</summary>
    Original = 0,

    /// <summary>StateID 27:0, StateType 30. Since PSCI 1.0.</summary>
    Extended = 1,
}

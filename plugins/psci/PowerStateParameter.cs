namespace Hypercalls.Psci;

/// <summary>The power_state of CPU_SUSPEND in the original format: StateID 15:0, StateType 16, PowerLevel 25:24 (DEN0022, power_state parameter).</summary>
/// <param name="StateId">The platform's number of the state.</param>
/// <param name="IsPowerDown">Whether the core loses its context; else standby or retention.</param>
/// <param name="PowerLevel">0 is the core alone.</param>
public readonly record struct PowerStateParameter(ushort StateId, bool IsPowerDown, int PowerLevel)
{
    private const uint MustBeZero = 0xFCFE_0000;

    /// <summary>The core alone, in standby: the WFI of a virtual core.</summary>
    public static PowerStateParameter CoreStandby => default;

    /// <summary>Takes an argument in which bits 31:26 and 23:17 must be zero.</summary>
    /// <param name="argument">As the guest gave it.</param>
    /// <param name="powerState">Its fields.</param>
    /// <returns>False where another bit is set.</returns>
    public static bool TryParse(uint argument, out PowerStateParameter powerState)
    {
        powerState = new((ushort)argument, (argument >> 16 & 1) != 0, (int)(argument >> 24 & 3));
        return (argument & MustBeZero) == 0;
    }
}

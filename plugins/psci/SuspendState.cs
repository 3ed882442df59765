using System.Globalization;
using System.Text.Json.Serialization;
using Hypercalls.Sdk;
using static Hypercalls.Psci.LocalState;

namespace Hypercalls.Psci;

/// <summary>A state that a guest may ask CPU_SUSPEND for (DEN0022, power_state parameter; Recommended StateID encoding).</summary>
public sealed record SuspendState
{
    private const int MostLevels = 4;
    private const int OriginalTypeBit = 16;
    private const int OriginalLevelBit = 24;
    private const int ExtendedTypeBit = 30;
    private const uint LargestOriginalStateId = 0xFFFF;
    private const uint LargestExtendedStateId = 0xFFF_FFFF;

    /// <summary>For people and for the device tree: lower-case letters, digits, dashes; up to 31.</summary>
    public string Name { get; init; } = "";

    /// <summary>The platform's number of the state: 16 bits in the original format, 28 in the extended one.</summary>
    public uint StateId { get; init; }

    /// <summary>
    /// The state of the core (level 0), then of its node at level 1 and up, at most to level 3: where power level n is the node of the
    /// cores whose affinity fields from n up are equal. No node is deeper than the one below it.
    /// </summary>
    public ValueArray<LocalState> Levels { get; init; }

    /// <summary>With it the state stands in the device tree, so that an operating system goes idle by it.</summary>
    public IdleState? Idle { get; init; }

    /// <summary>StateType: whether the core loses its context.</summary>
    [JsonIgnore]
    public bool IsPowerDown => Levels[0] == PowerDown;

    /// <summary>The highest level that it takes down.</summary>
    [JsonIgnore]
    public int PowerLevel => Levels.Count - 1;

    /// <summary>What a guest gives as power_state.</summary>
    /// <param name="format">The platform's.</param>
    /// <returns>32 bits, those that must be zero zero.</returns>
    public uint Parameter(StateIdFormat format) => format == StateIdFormat.Extended
        ? StateId | (IsPowerDown ? 1u << ExtendedTypeBit : 0)
        : StateId | (IsPowerDown ? 1u << OriginalTypeBit : 0) | (uint)PowerLevel << OriginalLevelBit;

    internal string? Fault(StateIdFormat format)
    {
        var largest = format == StateIdFormat.Extended ? LargestExtendedStateId : LargestOriginalStateId;
        if (Name.Length is 0 or > 31 || Name.Any(letter => !(char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-')))
        {
            return $"state \"{Name}\" needs a name of 1 to 31 lower-case letters, digits and dashes";
        }

        if (StateId > largest)
        {
            return string.Create(CultureInfo.InvariantCulture, $"state {Name} has stateId 0x{StateId:X}, above 0x{largest:X}, the largest of the {format} format");
        }

        if (Levels.Count is 0 or > MostLevels || Levels.Any(level => level is not (Standby or Retention or PowerDown)))
        {
            return $"state {Name} must have 1 to {MostLevels} levels of {Standby}, {Retention} and {PowerDown}, the core's first";
        }

        for (var level = 1; level < Levels.Count; level++)
        {
            if (Levels[level] > Levels[level - 1])
            {
                return $"state {Name} cannot have level {level} in {Levels[level]} while level {level - 1} below it is in {Levels[level - 1]}";
            }
        }

        return null;
    }
}

/// <summary>What an operating system must know of a state to choose it (Linux, devicetree bindings, Idle states).</summary>
public sealed record IdleState
{
    /// <summary>To enter it, in microseconds.</summary>
    public uint EntryLatencyUs { get; init; }

    /// <summary>From the wake-up event to the first instruction, in microseconds.</summary>
    public uint ExitLatencyUs { get; init; }

    /// <summary>The stay that is worth it, entry and exit included, in microseconds.</summary>
    public uint MinResidencyUs { get; init; }
}

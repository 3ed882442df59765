using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>What a platform chooses (DEN0054, Events; SDEI_VERSION; SDEI_FEATURES).</summary>
public sealed record SdeiSettings
{
    private const int MostEvents = 256;
    private const int MostPrivateSlots = 16;
    private const int MostSharedSlots = 64;

    /// <summary>The versions there are (DEN0054, SDEI_VERSION).</summary>
    public static ValueArray<Version> Versions { get; } = [new(1, 0), new(1, 1)];

    /// <summary>What SDEI_VERSION says and what is served, exactly.</summary>
    public Version Version { get; init; } = new(1, 1);

    /// <summary>Events beside event 0.</summary>
    public ValueArray<StaticEvent> Events { get; init; }

    /// <summary>How many interrupts of 16 to 31 can be bound at a time, where the host offers interrupts: 0 to 16.</summary>
    public int PrivateSlots { get; init; } = 3;

    /// <summary>How many other interrupts can be bound at a time, where the host offers interrupts: 0 to 64.</summary>
    public int SharedSlots { get; init; } = 3;

    /// <summary>The member that contradicts the specification, and how; null where none does.</summary>
    internal (string Member, string Sentence)? Fault =>
        !Versions.Contains(Version) ? ("version", $"the versions of SDEI are {string.Join(", ", Versions)}")
        : FaultOf(Events) is { } events ? ("events", events)
        : PrivateSlots is < 0 or > MostPrivateSlots ? ("privateSlots", $"there can be 0 to {MostPrivateSlots}")
        : SharedSlots is < 0 or > MostSharedSlots ? ("sharedSlots", $"there can be 0 to {MostSharedSlots}")
        : null;

    private static string? FaultOf(ValueArray<StaticEvent> events)
    {
        if (events.Count > MostEvents)
        {
            return $"there can be {MostEvents} at most, and {events.Count} are given";
        }

        foreach (var one in events.Span)
        {
            var number = new EventNumber(one.Number);
            if (number == EventNumber.SoftwareSignalled)
            {
                return "event 0 is always there, private and of normal priority; leave it out";
            }

            if (!number.IsValid)
            {
                return $"0x{one.Number:X8} is no event number: bit 31 and bits 29:24 must be zero; the vendor's numbers begin at 0x4000_0000";
            }

            if (number.IsOfSlot)
            {
                return $"{number} is kept for bound interrupts; take one from 0x4000_0000 to 0x400F_FFFF";
            }

            if (!Enum.IsDefined(one.Type) || !Enum.IsDefined(one.Priority))
            {
                return $"event {number}: the types are private and shared, the priorities normal and critical";
            }
        }

        return events.GroupBy(one => one.Number).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? $"event {new EventNumber(twice.Key)} stands twice"
            : null;
    }
}

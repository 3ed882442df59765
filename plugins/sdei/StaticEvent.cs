namespace Hypercalls.Sdei;

/// <summary>An event that the platform has without any interrupt bound to it; it is raised from outside the guest.</summary>
public sealed record StaticEvent
{
    /// <summary>Its number: in the vendor's range from 0x4000_0000, or in the standard one.</summary>
    public required uint Number { get; init; }

    /// <summary>Private or shared.</summary>
    public EventType Type { get; init; } = EventType.Shared;

    /// <summary>Normal or critical.</summary>
    public EventPriority Priority { get; init; }
}

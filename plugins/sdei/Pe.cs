using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>One PE (DEN0054, PE state).</summary>
public sealed record Pe
{
    /// <summary>Its affinity.</summary>
    public required Mpidr Core { get; init; }

    /// <summary>It runs, or waits in a low-power state.</summary>
    public bool IsOn { get; init; }

    /// <summary>PE_MASK: no handler is entered here.</summary>
    public bool IsMasked { get; init; } = true;

    /// <summary>Its private events.</summary>
    public ValueArray<EventRecord> Events { get; init; }

    /// <summary>The handler of normal priority that runs here.</summary>
    public HandlerFrame? Normal { get; init; }

    /// <summary>The handler of critical priority that runs here, perhaps on top of the other.</summary>
    public HandlerFrame? Critical { get; init; }

    /// <summary>What its last call changed, in case the guest never learns of it.</summary>
    public Change? Last { get; init; }

    /// <summary>Interrupts that end with its next attention.</summary>
    public ValueArray<uint> Ending { get; init; }

    /// <summary>The innermost handler.</summary>
    internal HandlerFrame? Running => Critical ?? Normal;

    /// <summary>Whether a handler of this priority may be entered here (DEN0054, Event priority and preemption).</summary>
    internal bool Admits(EventPriority priority) => IsOn && !IsMasked && Critical is null && (priority == EventPriority.Critical || Normal is null);

    internal Pe Enter(EventPriority priority, HandlerFrame frame) => priority == EventPriority.Critical ? this with { Critical = frame } : this with { Normal = frame };

    internal Pe Leave() => Critical is null ? this with { Normal = null } : this with { Critical = null };
}

/// <summary>What a call changed, to be undone where its answer did not reach the guest.</summary>
public sealed record Change
{
    /// <summary>Which event; null where it was the mask.</summary>
    public EventReference? Event { get; init; }

    /// <summary>The event's record before.</summary>
    public EventRecord Before { get; init; }

    /// <summary>The event's record after.</summary>
    public EventRecord After { get; init; }

    /// <summary>The handler that was left, where one was.</summary>
    public HandlerFrame? Left { get; init; }

    /// <summary>The mask before.</summary>
    public bool WasMasked { get; init; }
}

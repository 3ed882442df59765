using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>One PE (DEN0054, PE state).</summary>
public sealed record Pe
{
    /// <summary>Its affinity.</summary>
    public Mpidr Core { get; init; }

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

    /// <summary>The innermost handler.</summary>
    internal HandlerFrame? Running => Critical ?? Normal;

    /// <summary>Whether a handler of this priority may be entered here (DEN0054, Event priority and preemption).</summary>
    internal bool Admits(EventPriority priority) => IsOn && !IsMasked && Critical is null && (priority == EventPriority.Critical || Normal is null);

    internal Pe Enter(EventPriority priority, HandlerFrame frame) => priority == EventPriority.Critical ? this with { Critical = frame } : this with { Normal = frame };

    internal Pe Leave() => Critical is null ? this with { Normal = null } : this with { Critical = null };
}

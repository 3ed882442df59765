using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>What a call changed, to be undone where its answer did not reach the guest.</summary>
/// <param name="By">The function.</param>
public sealed record Change(FunctionId By)
{
    /// <summary>Of a call that changed one event: which.</summary>
    public EventReference? Event { get; init; }

    /// <summary>The event's record before.</summary>
    public EventRecord Before { get; init; }

    /// <summary>The event's record after.</summary>
    public EventRecord After { get; init; }

    /// <summary>Of a call that left a handler: what it had interrupted.</summary>
    public HandlerFrame? Left { get; init; }

    /// <summary>Of a call that changed the mask: the mask before.</summary>
    public bool? WasMasked { get; init; }

    /// <summary>Of a call that released bindings: those of the private slots before.</summary>
    public ValueArray<uint> PrivateBindings { get; init; }

    /// <summary>Of a call that released bindings: those of the shared slots before.</summary>
    public ValueArray<uint> SharedBindings { get; init; }

    /// <summary>Of a call that released bindings: the triggers that went with them.</summary>
    public ValueArray<Waiting> Dropped { get; init; }
}

/// <summary>A trigger that waits.</summary>
/// <param name="Event">Of which event.</param>
/// <param name="Pe">The place of the PE, 0 for a shared event.</param>
/// <param name="Trigger">Its place in the order of triggers.</param>
public readonly record struct Waiting(EventReference Event, int Pe, ulong Trigger);

/// <summary>An interrupt that is to end with an attention, as no completion ends it.</summary>
/// <param name="Intid">The interrupt.</param>
/// <param name="Core">Where it is one of 16 to 31: whose.</param>
public readonly record struct Ending(uint Intid, Mpidr? Core);

using Hypercalls.Sdk;

namespace Hypercalls.Psci;

/// <summary>One node of the power topology, and what it has spent where (DEN0022, NODE_HW_STATE; PSCI_STAT_RESIDENCY and PSCI_STAT_COUNT).</summary>
public sealed record NodeState
{
    /// <summary>0 is the core; the node of level n holds the cores whose affinity fields from n up are equal.</summary>
    public int Level { get; init; }

    /// <summary>Of one of its cores; the fields below the level say nothing.</summary>
    public Mpidr Node { get; init; }

    /// <summary>Its state now.</summary>
    public LocalState State { get; init; }

    /// <summary>When it entered that state; null where that is not known.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Completed stays in standby, retention and powerdown, in this order.</summary>
    public ValueArray<Stays> Stays { get; init; } = [default, default, default];

    /// <summary>Whether a core belongs to it.</summary>
    /// <param name="core">A core of the machine.</param>
    /// <returns>True for the core itself at level 0.</returns>
    public bool Holds(Mpidr core) => core.SameNode(Node, Level);

    /// <summary>The completed stays in one state.</summary>
    /// <param name="state">Standby, retention or powerdown.</param>
    /// <returns>Since cold boot.</returns>
    public Stays In(LocalState state) => Stays[state - LocalState.Standby];

    /// <summary>Enters a state; the stay in the one it leaves is counted.</summary>
    /// <param name="state">The next.</param>
    /// <param name="now">Null where the stay that ends is not to count.</param>
    /// <returns>This node where the state is the same.</returns>
    public NodeState Enter(LocalState state, DateTimeOffset? now)
    {
        if (state == State)
        {
            return this;
        }

        var next = this with { State = state, Since = now };
        if (State is LocalState.Run or LocalState.Off || Since is not { } since || now is null)
        {
            return next;
        }

        var stay = now.Value > since ? (ulong)(now.Value - since).TotalMicroseconds : 0;
        var before = In(State);
        return next with { Stays = Stays.With(State - LocalState.Standby, new(before.Count + 1, before.Microseconds + stay)) };
    }
}

/// <summary>Completed stays in one state.</summary>
/// <param name="Count">How many.</param>
/// <param name="Microseconds">Of all together.</param>
public readonly record struct Stays(ulong Count, ulong Microseconds);

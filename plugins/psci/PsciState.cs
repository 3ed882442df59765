using Hypercalls.Sdk;

namespace Hypercalls.Psci;

/// <summary>The cores of one machine, in the order in which its host lists them, the nodes above them, and what PSCI remembers beside.</summary>
public sealed record PsciState
{
    /// <summary>One entry per core.</summary>
    public ValueArray<CoreState> Cores { get; init; }

    /// <summary>The nodes of every power level, the cores' own first.</summary>
    public ValueArray<NodeState> Nodes { get; init; }

    /// <summary>Who chooses the states of nodes.</summary>
    public SuspendMode Mode { get; init; }

    /// <summary>The mode before the last PSCI_SET_SUSPEND_MODE, in case its caller never learns of it.</summary>
    public SuspendMode ModeBefore { get; init; }

    /// <summary>Whether some core has used CPU_SUSPEND since the boot or since the mode was last switched.</summary>
    public bool HasSuspended { get; init; }

    /// <summary>MEM_PROTECT: memory is overwritten before it is given to the next boot.</summary>
    public bool MemProtect { get; init; }

    /// <summary>Whose MEM_PROTECT was the last: a late fallback of another core's does not undo it.</summary>
    public Mpidr? MemProtectBy { get; init; }

    /// <summary>The place of a core.</summary>
    /// <param name="core">Its affinity.</param>
    /// <returns>From 0; −1 where the machine has no such core.</returns>
    public int IndexOf(Mpidr core)
    {
        var cores = Cores.Span;
        for (var i = 0; i < cores.Length; i++)
        {
            if (cores[i].Core == core)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>With one core changed.</summary>
    /// <param name="index">Its place.</param>
    /// <param name="core">The core.</param>
    /// <returns>This state where nothing changes.</returns>
    public PsciState With(int index, CoreState core) => core == Cores[index] ? this : this with { Cores = Cores.With(index, core) };

    /// <summary>Whether every core but one is down until CPU_ON.</summary>
    /// <param name="core">That one.</param>
    /// <returns>True also where it is the only one.</returns>
    public bool OthersAreDown(Mpidr core)
    {
        foreach (var other in Cores.Span)
        {
            if (other.Core != core && !PowerTransitions.IsDown(other.Power))
            {
                return false;
            }
        }

        return true;
    }
}

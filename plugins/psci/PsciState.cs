using Hypercalls.Sdk;

namespace Hypercalls.Psci;

/// <summary>The cores of one machine, in the order in which its host lists them.</summary>
public sealed record PsciState
{
    /// <summary>One entry per core.</summary>
    public ValueArray<CoreState> Cores { get; init; }

    /// <summary>The place of a core.</summary>
    /// <param name="core">Its affinity.</param>
    /// <returns>From 0; −1 where the machine has no such core.</returns>
    public int IndexOf(Mpidr core)
    {
        for (var i = 0; i < Cores.Count; i++)
        {
            if (Cores[i].Core == core)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>With one core changed.</summary>
    /// <param name="index">Its place.</param>
    /// <param name="power">Its new state.</param>
    /// <param name="startedBy">Who asked for it, where it is about to start.</param>
    /// <returns>This state where nothing changes.</returns>
    public PsciState With(int index, PowerState power, Mpidr? startedBy = null)
    {
        var next = Cores[index] with { Power = power, StartedBy = startedBy };
        return next == Cores[index] ? this : this with { Cores = Cores.With(index, next) };
    }
}

/// <summary>One core.</summary>
/// <param name="Core">Its affinity.</param>
/// <param name="Power">Its state.</param>
/// <param name="StartedBy">While ON_PENDING, the core whose CPU_ON is under way.</param>
public readonly record struct CoreState(Mpidr Core, PowerState Power, Mpidr? StartedBy = null);

using Hypercalls.Sdk;
using static Hypercalls.Psci.LocalState;

namespace Hypercalls.Psci;

/// <summary>The nodes above the cores, and how their states follow from those of the cores (DEN0022, Power state coordination).</summary>
internal static class PowerTopology
{
    /// <summary>Power levels 0 to 3, one for each affinity field.</summary>
    private const int Levels = 4;

    /// <summary>The nodes of a machine, each in the state that its cores give it.</summary>
    /// <param name="cores">Of the machine.</param>
    /// <param name="mode">Who chooses the states of nodes.</param>
    /// <param name="before">What was known: stays go on, and where a state is the same, the present one too.</param>
    public static ValueArray<NodeState> Of(ValueArray<CoreState> cores, SuspendMode mode, ValueArray<NodeState> before)
    {
        var nodes = new List<NodeState>();
        for (var level = 0; level < Levels; level++)
        {
            foreach (var core in cores.Span)
            {
                if (!nodes.Exists(node => node.Level == level && node.Holds(core.Core)))
                {
                    var known = before.FirstOrDefault(node => node.Level == level && node.Holds(core.Core)) ?? new() { Level = level, Node = core.Core };
                    nodes.Add(known.Enter(Next(cores, mode, known, changed: null), now: null));
                }
            }
        }

        return [.. nodes];
    }

    /// <summary>A core has changed: so may the nodes that hold it.</summary>
    /// <param name="state">With the core changed.</param>
    /// <param name="index">Of the core.</param>
    /// <param name="now">Null where what it leaves is not to count as a stay.</param>
    public static PsciState Settle(PsciState state, int index, DateTimeOffset? now)
    {
        var core = state.Cores[index];
        NodeState[]? nodes = null;
        for (var i = 0; i < state.Nodes.Count; i++)
        {
            var node = state.Nodes[i];
            if (node.Holds(core.Core) && node.Enter(Next(state.Cores, state.Mode, node, core), now) is var next && next != node)
            {
                (nodes ??= [.. state.Nodes.Span])[i] = next;
            }
        }

        return nodes is null ? state : state with { Nodes = [.. nodes] };
    }

    /// <summary>Whether an OS-initiated request fits what the other cores of its nodes do (DEN0022, OS-initiated mode).</summary>
    /// <param name="state">As the call finds it.</param>
    /// <param name="caller">The core that goes down.</param>
    /// <param name="requested">What it asks for, level by level.</param>
    public static PsciStatus Consistency(PsciState state, Mpidr caller, ValueArray<LocalState> requested)
    {
        var top = requested.Count - 1;
        foreach (var core in state.Cores.Span)
        {
            if (top > 0 && core.Core != caller && core.Core.SameNode(caller, top) && (core.Power == PowerState.OnPending || Contribution(core, level: 0) == Run))
            {
                return PsciStatus.Denied;
            }
        }

        foreach (var child in state.Nodes.Span)
        {
            var level = child.Level + 1;
            if (level <= top && child.Node.SameNode(caller, level) && !child.Holds(caller) && child.State < requested[level])
            {
                return PsciStatus.InvalidParameters;
            }
        }

        return PsciStatus.Success;
    }

    /// <summary>The node of a level that holds a core; null where the machine has none.</summary>
    public static NodeState? Find(PsciState state, Mpidr core, int level)
    {
        foreach (var node in state.Nodes.Span)
        {
            if (node.Level == level && node.Holds(core))
            {
                return node;
            }
        }

        return null;
    }

    private static LocalState Next(ValueArray<CoreState> cores, SuspendMode mode, NodeState node, CoreState? changed)
    {
        var coordinated = Coordinated(cores, node);
        if (node.Level == 0 || mode == SuspendMode.PlatformCoordinated || coordinated == Off)
        {
            return coordinated;
        }

        // OS-initiated: whoever goes down as the last one says it; until then, and while any core runs, the node runs.
        return HasRunningCore(cores, node) ? Run
            : changed is { Power: PowerState.Suspended } last ? Contribution(last, node.Level)
            : node.State == Off ? coordinated
            : node.State;
    }

    private static LocalState Coordinated(ValueArray<CoreState> cores, NodeState node)
    {
        var shallowest = Off;
        foreach (var core in cores.Span)
        {
            if (node.Holds(core.Core) && Contribution(core, node.Level) is var vote && vote < shallowest)
            {
                shallowest = vote;
            }
        }

        return shallowest;
    }

    private static bool HasRunningCore(ValueArray<CoreState> cores, NodeState node)
    {
        foreach (var core in cores.Span)
        {
            if (node.Holds(core.Core) && Contribution(core, level: 0) == Run)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The state that a core allows a node of this level. One that is ON_PENDING is off until it has started: the host may yet refuse it.</summary>
    private static LocalState Contribution(CoreState core, int level) =>
        PowerTransitions.IsDown(core.Power) || core.Power == PowerState.OnPending ? Off
        : core.Power == PowerState.Suspended && level < core.Requested.Count ? core.Requested[level]
        : Run;
}

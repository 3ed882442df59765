using System.Globalization;
using Hypercalls.Psci;

namespace Hypercalls.Tests.Psci;

/// <summary>The state of the service, held against the model's.</summary>
internal sealed partial class PsciModel
{
    /// <summary>What the service remembers otherwise than the model; null where nothing.</summary>
    public string? Difference(PsciState state)
    {
        if ((state.Mode == SuspendMode.OsInitiated, state.MemProtect, state.HasSuspended) != (_isOsInitiated, _isProtected, _hasSuspended))
        {
            return $"OS-initiated, protected, has suspended: {(_isOsInitiated, _isProtected, _hasSuspended)} was expected; {(state.Mode, state.MemProtect, state.HasSuspended)}";
        }

        var cores = state.Cores.Span;
        var nodes = state.Nodes.Span;
        if (cores.Length != Cores.Length || nodes.Length != _nodes.Count)
        {
            return $"{Cores.Length} cores and {_nodes.Count} nodes were expected; {cores.Length} and {nodes.Length}";
        }

        for (var i = 0; i < cores.Length; i++)
        {
            if (!IsAs(Cores[i], cores[i]))
            {
                return $"core {i}: {Cores[i].Power}, by {Cores[i].StartedBy}, {string.Join(" ", Cores[i].Asked ?? [])} was expected; {cores[i]}";
            }
        }

        for (var i = 0; i < nodes.Length; i++)
        {
            if (!IsAs(_nodes[i], nodes[i]))
            {
                return string.Create(CultureInfo.InvariantCulture,
                    $"node {_nodes[i].Level} {_nodes[i].Key:X}: depth {_nodes[i].Depth}, {string.Join(" ", _nodes[i].Counts)}, {string.Join(" ", _nodes[i].Ticks)} was expected; {nodes[i]}");
            }
        }

        return null;
    }

    private static bool IsAs(ModelCore expected, CoreState core)
    {
        var power = core.Power switch
        {
            PowerState.Off => Power.Off,
            PowerState.OnPending => Power.Pending,
            PowerState.On => Power.On,
            PowerState.Suspended => Power.Asleep,
            PowerState.Freezing => Power.Freezing,
            PowerState.Frozen => Power.Frozen,
            _ => Power.Unavailable,
        };
        var asked = core.Requested.Span;
        if (power != expected.Power || core.Core.Value != expected.Affinity || core.StartedBy?.Value != expected.StartedBy || asked.Length != (expected.Asked?.Length ?? 0))
        {
            return false;
        }

        for (var level = 0; level < asked.Length; level++)
        {
            if ((int)asked[level] != expected.Asked![level])
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsAs(ModelNode expected, NodeState node)
    {
        if (node.Level != expected.Level || (node.Node.Value & s_masks[node.Level]) != expected.Key || (int)node.State != expected.Depth)
        {
            return false;
        }

        for (var depth = Run + 1; depth <= PoweredDown; depth++)
        {
            var stays = node.Stays[depth - 1];
            if (stays.Count != expected.Counts[depth] || stays.Microseconds != (ulong)(expected.Ticks[depth] / TimeSpan.TicksPerMicrosecond))
            {
                return false;
            }
        }

        return true;
    }
}

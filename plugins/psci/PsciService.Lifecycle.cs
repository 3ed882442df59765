using Hypercalls.Sdk;

namespace Hypercalls.Psci;

/// <summary>What the host tells of the machine (DEN0022, CPU_ON and CPU_OFF state machine; cold and warm reset).</summary>
public sealed partial class PsciService
{
    /// <inheritdoc/>
    public PsciState Attached(PsciState state, MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(machine);
        ValueArray<CoreState> cores = [.. machine.Cores.Select(core => Listed(state, core))];
        return state with { Cores = cores, Nodes = PowerTopology.Of(cores, state.Mode, state.Nodes) };
    }

    /// <inheritdoc/>
    public PsciState CoreChanged(PsciState state, CoreReport report)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Changed(state, state.IndexOf(report.Core), report.Change, report.Now);
    }

    /// <summary>Protection of memory and statistics outlive a warm reset; everything else begins anew.</summary>
    /// <inheritdoc/>
    public PsciState Reset(PsciState state, ResetKind kind, MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(state);
        return Attached(kind == ResetKind.Warm ? new() { MemProtect = state.MemProtect, Nodes = state.Nodes } : new(), machine);
    }

    /// <inheritdoc/>
    public PsciState NotApplied(PsciState state, in Hypercall hypercall, in Answer answer)
    {
        ArgumentNullException.ThrowIfNull(state);
        var caller = state.IndexOf(hypercall.Core);
        return answer.Then switch
        {
            // Another core may have started the target since: its CPU_ON stands.
            Effect.PowerOn on when state.IndexOf(on.Core) is var target and >= 0 && state.Cores[target].StartedBy == hypercall.Core
                => Changed(state, target, CoreChange.Refused, hypercall.Now),
            Effect.PowerOff when caller >= 0 && state.Cores[caller].Power == PowerState.Freezing => state.With(caller, new(hypercall.Core, PowerState.On)),
            { Suspends: true } => Changed(state, caller, CoreChange.Woke, now: null),
            _ when hypercall.Function == s_memProtect && state.MemProtectBy == hypercall.Core => state with { MemProtect = answer.X0 != 0, MemProtectBy = null },
            _ when answer == Answer.Success && hypercall.Function == s_setSuspendMode => state with { Mode = state.ModeBefore },
            _ => state,
        };
    }

    private static PsciState Changed(PsciState state, int index, CoreChange change, DateTimeOffset? now)
    {
        if (index < 0 || PowerTransitions.Reported(state.Cores[index].Power, change) is var power && power == state.Cores[index].Power)
        {
            return state;
        }

        return PowerTopology.Settle(state.With(index, new(state.Cores[index].Core, power)), index, now);
    }

    private static CoreState Listed(PsciState state, Core core)
    {
        var power = PowerTransitions.Listed(core.Power);
        if (power != PowerState.Suspended)
        {
            return new(core.Mpidr, power);
        }

        // A host does not say how deep a core sleeps: what is remembered, else the least.
        var known = state.IndexOf(core.Mpidr) is var index and >= 0 ? state.Cores[index].Requested : default;
        return new(core.Mpidr, power, Requested: known.Count > 0 ? known : [LocalState.Standby]);
    }
}

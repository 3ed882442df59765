using Hypercalls.Sdk;
using static Hypercalls.Psci.PsciStatus;

namespace Hypercalls.Psci;

/// <summary>The Power State Coordination Interface for the cores of a machine (DEN0022, Functions).</summary>
public sealed class PsciService : Service<PsciState>, ICoreLifecycle<PsciState>, INotApplied<PsciState>
{
    private const uint Version1Dot1 = 0x1_0001;
    private const uint NoMigrationNeeded = 2;

    private static readonly FunctionId SmcccVersion = new(0x8000_0000);

    /// <summary>With the table of its functions.</summary>
    public PsciService() => Functions = new()
    {
        { 0x8400_0000,              "PSCI_VERSION",      PsciVersion,     FunctionTraits.Mandatory | FunctionTraits.Version },
        { 0x8400_0001, 0xC400_0001, "CPU_SUSPEND",       CpuSuspend,      FunctionTraits.Mandatory, "power_state", "entry_point_address", "context_id" },
        { 0x8400_0002,              "CPU_OFF",           CpuOff,          FunctionTraits.Mandatory | FunctionTraits.NoReturn },
        { 0x8400_0003, 0xC400_0003, "CPU_ON",            CpuOn,           FunctionTraits.Mandatory, "target_cpu", "entry_point_address", "context_id" },
        { 0x8400_0004, 0xC400_0004, "AFFINITY_INFO",     AffinityInfo,    FunctionTraits.Mandatory, "target_affinity", "lowest_affinity_level" },
        { 0x8400_0006,              "MIGRATE_INFO_TYPE", MigrateInfoType },
        { 0x8400_0008,              "SYSTEM_OFF",        SystemOff,       FunctionTraits.Mandatory | FunctionTraits.NoReturn },
        { 0x8400_0009,              "SYSTEM_RESET",      SystemReset,     FunctionTraits.Mandatory | FunctionTraits.NoReturn },
        { 0x8400_000A,              "PSCI_FEATURES",     PsciFeatures,    FunctionTraits.Mandatory, "psci_func_id" },
    };

    /// <inheritdoc/>
    public override string Name => "PSCI";

    /// <inheritdoc/>
    public override string Version => "1.1";

    /// <inheritdoc/>
    public override Type Statuses => typeof(PsciStatus);

    /// <inheritdoc/>
    public override FunctionTable<PsciState> Functions { get; }

    /// <inheritdoc/>
    public PsciState Attached(PsciState state, MachineDescription machine) =>
        new() { Cores = [.. machine.Cores.Select(core => new CoreState(core.Mpidr, PowerTransitions.Listed(core.Power)))] };

    /// <inheritdoc/>
    public PsciState CoreChanged(PsciState state, CoreReport report)
    {
        var index = state.IndexOf(report.Core);
        if (index < 0)
        {
            return state;
        }

        var power = PowerTransitions.Reported(state.Cores[index].Power, report.Change);
        return power == state.Cores[index].Power ? state : state.With(index, power);
    }

    /// <inheritdoc/>
    public PsciState NotApplied(PsciState state, in Hypercall hypercall, in Answer answer) => answer.Then switch
    {
        // Another core may have started the target since: its CPU_ON stands.
        Effect.PowerOn on when state.IndexOf(on.Core) is var index and >= 0 && state.Cores[index].StartedBy == hypercall.Core
            => state.With(index, PowerTransitions.Reported(state.Cores[index].Power, CoreChange.Refused)),
        Effect.Standby => CoreChanged(state, new(hypercall.Core, CoreChange.Woke, hypercall.Now)),
        _ => state,
    };

    private static Answer PsciVersion(in Hypercall call) => Answer.Value(Version1Dot1);

    private static Outcome<PsciState> CpuSuspend(in Hypercall call, PsciState state)
    {
        if (!PowerStateParameter.TryParse((uint)call[1], out var powerState) || powerState != PowerStateParameter.CoreStandby)
        {
            return Status(InvalidParameters);
        }

        return (state.With(state.IndexOf(call.Core), PowerState.Suspended), Answer.Success with { Then = new Effect.Standby() });
    }

    // The core counts as on until the host has stopped it: a guest that reads OFF takes its memory away.
    private static Answer CpuOff(in Hypercall call) => Answer.NoResults with { Then = new Effect.PowerOff() };

    private static Outcome<PsciState> CpuOn(in Hypercall call, PsciState state)
    {
        if (!Mpidr.TryParse(call[1], out var targetCpu) || state.IndexOf(targetCpu) is var index && index < 0)
        {
            return Status(InvalidParameters);
        }

        var (entryPoint, contextId) = (call[2], call[3]);
        if (!EntryPoint.IsValid(entryPoint, call.Pstate.IsAArch32, call.Machine))
        {
            return Status(InvalidAddress);
        }

        var (power, status) = PowerTransitions.CpuOn(state.Cores[index].Power);
        return status == Success
            ? (state.With(index, power, call.Core), Status(status) with { Then = new Effect.PowerOn(targetCpu, entryPoint, contextId, (long)InternalFailure) })
            : Status(status);
    }

    private static Outcome<PsciState> AffinityInfo(in Hypercall call, PsciState state)
    {
        if (!Mpidr.TryParse(call[1], out var targetAffinity) || (uint)call[2] is var lowestAffinityLevel && lowestAffinityLevel > 3)
        {
            return Status(InvalidParameters);
        }

        AffinityInfo? info = null;
        foreach (var core in state.Cores.Span)
        {
            if (core.Core.SameNode(targetAffinity, (int)lowestAffinityLevel))
            {
                var ofCore = PowerTransitions.Info(core.Power);
                info = info is { } ofOthers ? PowerTransitions.Info(ofOthers, ofCore) : ofCore;
            }
        }

        return info switch
        {
            null => Status(InvalidParameters),
            Psci.AffinityInfo.Disabled => Status(Disabled),
            { } level => Answer.Value((uint)level),
        };
    }

    private static Answer MigrateInfoType(in Hypercall call) => Answer.Value(NoMigrationNeeded);

    private static Answer SystemOff(in Hypercall call) => Answer.NoResults with { Then = new Effect.SystemEvent(SystemEventType.Shutdown) };

    private static Answer SystemReset(in Hypercall call) => Answer.NoResults with { Then = new Effect.SystemEvent(SystemEventType.Reset) };

    private Answer PsciFeatures(in Hypercall call)
    {
        var asked = new FunctionId((uint)call[1]);
        var served = asked == SmcccVersion ? call.Served.Contains(asked) : Functions.TryGet(asked, out _);

        // No function has a flag set: CPU_SUSPEND takes the original StateID format and knows no OS-initiated mode.
        return Status(served ? Success : NotSupported);
    }

    private static Answer Status(PsciStatus status) => Answer.Status((long)status);
}

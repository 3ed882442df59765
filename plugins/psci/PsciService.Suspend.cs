using Hypercalls.Sdk;
using static Hypercalls.Psci.PsciStatus;

namespace Hypercalls.Psci;

/// <summary>Cores and nodes in low-power states (DEN0022, CPU_SUSPEND; CPU_DEFAULT_SUSPEND; SYSTEM_SUSPEND; PSCI_SET_SUSPEND_MODE; NODE_HW_STATE; PSCI_STAT_*).</summary>
public sealed partial class PsciService
{
    private const ulong OsInitiatedSupported = 1;
    private const int ExtendedFormatBit = 1;

    private static readonly ValueArray<LocalState> s_core = [LocalState.PowerDown];
    private static readonly ValueArray<LocalState> s_system = [LocalState.PowerDown, LocalState.PowerDown, LocalState.PowerDown, LocalState.PowerDown];

    // 0.2 has no PSCI_FEATURES to ask for them.
    private ulong SuspendFeatures => (ulong)_settings.StateIdFormat << ExtendedFormatBit | OsInitiatedSupported;

    private Outcome<PsciState> CpuSuspend(in Hypercall call, PsciState state)
    {
        if (Find((uint)call[1]) is not { } suspend)
        {
            return Status(InvalidParameters);
        }

        if (state.Mode == SuspendMode.OsInitiated && PowerTopology.Consistency(state, call.Core, suspend.Levels) is var consistency && consistency != Success)
        {
            return Status(consistency);
        }

        // Where context is kept, the entry point is not looked at.
        if (!suspend.IsPowerDown)
        {
            return (Suspend(state with { HasSuspended = true }, call, suspend.Levels), Answer.Success with { Then = new Effect.Standby() });
        }

        return PowerDown(state with { HasSuspended = true }, call, entryPoint: call[2], new Effect.PowerDown(call[2], call[3]), suspend.Levels);
    }

    private Outcome<PsciState> CpuDefaultSuspend(in Hypercall call, PsciState state) =>
        PowerDown(state, call, entryPoint: call[1], new Effect.PowerDown(call[1], call[2]), s_core);

    private Outcome<PsciState> SystemSuspend(in Hypercall call, PsciState state) => state.OthersAreDown(call.Core)
        ? PowerDown(state, call, entryPoint: call[1], new Effect.SystemEvent(SystemEventType.Suspend, [call[1], call[2]]), s_system)
        : Status(Denied);

    private static Outcome<PsciState> SetSuspendMode(in Hypercall call, PsciState state)
    {
        var mode = (SuspendMode)call[1];
        if (mode is not (SuspendMode.PlatformCoordinated or SuspendMode.OsInitiated))
        {
            return Status(InvalidParameters);
        }

        if (mode == state.Mode)
        {
            return (state with { ModeBefore = mode }, Status(Success));
        }

        var isAllowed = mode == SuspendMode.OsInitiated
            ? !state.HasSuspended && !state.Cores.Any(core => core.Power is PowerState.OnPending or PowerState.Freezing)
            : state.OthersAreDown(call.Core);
        return isAllowed
            ? (state with { Mode = mode, ModeBefore = state.Mode, HasSuspended = false }, Status(Success))
            : Status(Denied);
    }

    private static Outcome<PsciState> NodeHwState(in Hypercall call, PsciState state)
    {
        if (!Mpidr.TryParse(call[1], out var targetCpu) || (uint)call[2] is var powerLevel && powerLevel > HighestAffinityLevel)
        {
            return Status(InvalidParameters);
        }

        return PowerTopology.Find(state, targetCpu, (int)powerLevel) is { } node
            ? Answer.Value((ulong)PowerTransitions.HwState(node.State))
            : Status(InvalidParameters);
    }

    private Outcome<PsciState> StatResidency(in Hypercall call, PsciState state) => Statistic(call, StaysOf(call, state).Microseconds);

    private Outcome<PsciState> StatCount(in Hypercall call, PsciState state) => Statistic(call, StaysOf(call, state).Count);

    // The SMC32 results wrap: residency after 71 minutes.
    private static Answer Statistic(in Hypercall call, ulong value) => Answer.Value(call.Function.IsSmc64 ? value : (uint)value);

    /// <summary>The stays of the highest node that the state takes down; none for a combination that does not exist, as there is no error code.</summary>
    private Stays StaysOf(in Hypercall call, PsciState state) =>
        Mpidr.TryParse(call[1], out var targetCpu) && state.IndexOf(targetCpu) >= 0 && Find((uint)call[2]) is { } asked
            ? PowerTopology.Find(state, targetCpu, asked.PowerLevel)?.In(asked.Levels[asked.PowerLevel]) ?? default
            : default;

    private SuspendState? Find(uint powerState)
    {
        foreach (var suspend in _settings.SuspendStates.Span)
        {
            if (suspend.Parameter(_settings.StateIdFormat) == powerState)
            {
                return suspend;
            }
        }

        return null;
    }

    private Outcome<PsciState> PowerDown(PsciState state, in Hypercall call, ulong entryPoint, Effect effect, ValueArray<LocalState> levels) =>
        EntryPoint.IsValid(entryPoint, call.Pstate.IsAArch32, call.Machine)
            ? (Suspend(state, call, levels), Answer.Success with { Then = effect })
            : BadEntryPoint;

    private static PsciState Suspend(PsciState state, in Hypercall call, ValueArray<LocalState> levels)
    {
        var index = state.IndexOf(call.Core);
        return PowerTopology.Settle(state.With(index, new(call.Core, PowerState.Suspended, Requested: levels)), index, call.Now);
    }
}

using Hypercalls.Sdk;
using static Hypercalls.Psci.PsciStatus;

namespace Hypercalls.Psci;

/// <summary>Cores come and go (DEN0022, CPU_ON; CPU_OFF; CPU_FREEZE; AFFINITY_INFO; MIGRATE_INFO_TYPE).</summary>
public sealed partial class PsciService
{
    private const uint HighestAffinityLevel = 3;
    private const uint NoMigrationNeeded = 2;

    // The core counts as on until the host has stopped it: a guest that reads OFF takes its memory away.
    private static Answer CpuOff(in Hypercall call) => Answer.NoResults with { Then = new Effect.PowerOff() };

    private static Outcome<PsciState> CpuFreeze(in Hypercall call, PsciState state)
    {
        var index = state.IndexOf(call.Core);
        return (state.With(index, state.Cores[index] with { Power = PowerState.Freezing }), Answer.NoResults with { Then = new Effect.PowerOff() });
    }

    private Outcome<PsciState> CpuOn(in Hypercall call, PsciState state)
    {
        if (!Mpidr.TryParse(call[1], out var targetCpu) || state.IndexOf(targetCpu) is var index && index < 0)
        {
            return Status(InvalidParameters);
        }

        var (entryPoint, contextId) = (call[2], call[3]);
        if (!EntryPoint.IsValid(entryPoint, call.Pstate.IsAArch32, call.Machine))
        {
            return BadEntryPoint;
        }

        var target = state.Cores[index];
        var (power, status) = _settings.DeniedCores.Contains(targetCpu) ? (target.Power, Denied) : PowerTransitions.CpuOn(target.Power);
        if (status != Success)
        {
            return Status(status == Denied ? DeniedStart : status);
        }

        return (state.With(index, target with { Power = power, StartedBy = call.Core }),
            Status(status) with { Then = new Effect.PowerOn(targetCpu, entryPoint, contextId, (long)InternalFailure) });
    }

    private static Outcome<PsciState> AffinityInfo(in Hypercall call, PsciState state)
    {
        if (!Mpidr.TryParse(call[1], out var targetAffinity) || (uint)call[2] is var lowestAffinityLevel && lowestAffinityLevel > HighestAffinityLevel)
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
            { } node => Answer.Value((uint)node),
        };
    }

    private static Answer MigrateInfoType(in Hypercall call) => Answer.Value(NoMigrationNeeded);

    // Both codes are younger than the calls that give them.
    private Answer BadEntryPoint => Status(_settings.Version < s_invalidAddress ? InvalidParameters : InvalidAddress);

    private PsciStatus DeniedStart => _settings.Version < s_deniedCpuOn ? InternalFailure : Denied;
}

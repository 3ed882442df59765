using Hypercalls.Hosts.Vcpus;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;

namespace Hypercalls.Kvm.Vcpus;

/// <summary>What becomes of answers.</summary>
internal sealed partial class Vcpu
{
    // SYSTEM_RESET2 and SYSTEM_OFF2 say so in the first word of their events.
    private const ulong ResetFlagReset2 = 1;

    private void FallBack(Exit wire)
    {
        if (wire.KindCase == Exit.KindOneofCase.Hypercall)
        {
            AnswerRegisters.FallBack(_registers);
        }
        else
        {
            PauseAttention(UnansweredPause);
        }
        _previous = new() { ExitId = wire.ExitId, Outcome = Outcome.FellBack, LastApplied = _previous?.LastApplied ?? 0 };
        Forwarder!.GaveUp(wire);
        _powers.LeaveCall(Number);
    }

    private void Apply(Answer answer, bool isCall)
    {
        foreach (var block in answer.MemoryWrites)
        {
            _ram.Write(block.Base, block.Data.Span);
        }
        AnswerRegisters.WriteResults(answer, _registers);
        _previous = new() { ExitId = answer.ExitId, Outcome = Outcome.Applied, LastApplied = answer.ExitId };
        _attentionOwed |= answer.AttendBeforeResume;
        switch (answer.EffectCase)
        {
            case Answer.EffectOneofCase.PowerOn:
                PowerOn(answer, isCall);
                break;
            case Answer.EffectOneofCase.PowerOff:
                _attentionOwed = false;
                if (_owner.PsciIsTheKernels)
                {
                    // It waits where the kernel's CPU_ON finds it.
                    _kvm.MpState = MpState.Stopped;
                }
                _powers.PowerOff(Number, answer.Commit);
                return;
            case Answer.EffectOneofCase.Suspend:
                Suspend(answer.Suspend.PowerDown is { } entry ? (entry.EntryPoint, entry.ContextId) : null);
                break;
            case Answer.EffectOneofCase.SystemEvent when answer.SystemEvent.Type == SystemEventType.Suspend:
                Suspend((answer.SystemEvent.Data[0], answer.SystemEvent.Data[1]));
                break;
            case Answer.EffectOneofCase.SystemEvent when answer.SystemEvent.Type == SystemEventType.Crash:
                _owner.Fail($"A service reports a crash at vCPU {Number}: data {VcpuExits.Text(answer.SystemEvent.Data)}.");
                return;
            case Answer.EffectOneofCase.SystemEvent:
                End(answer.SystemEvent);
                return;
            case Answer.EffectOneofCase.Load:
                AnswerRegisters.WriteLoad(answer.Load, _registers);
                break;
        }
        _powers.LeaveCall(Number, _isSuspended);
    }

    private void PowerOn(Answer answer, bool isCall)
    {
        var effect = answer.PowerOn;
        var start = new CoreStart(effect.EntryPoint, effect.ContextId, _registers.Endianness, answer.Commit) { Incarnation = answer.Incarnation };
        var target = _owner.Find(effect.Core);
        // Of the kernel's own cores it is not known here which are on.
        if (target is not null && target != this && !_owner.PsciIsTheKernels && _powers.TryPowerOn(target.Number, start))
        {
            target.Nudge();
            return;
        }
        if (isCall)
        {
            // A stopped core is no caller: its x0 is the guest's own.
            _registers.SetGeneral(0, effect.IfRefused);
        }
        if (target is null)
        {
            _owner.Log(AnswerRules.NoSuchCore(Number, effect.Core));
            return;
        }
        _powers.Refused(target.Number, answer.Commit);
    }

    /// <summary>What the guest wakes with is set before it sleeps. KVM wakes it: it knows what is pending.</summary>
    private void Suspend((ulong EntryPoint, ulong ContextId)? entry)
    {
        if (entry is var (entryPoint, contextId))
        {
            _registers.EnterAgain(new(entryPoint, contextId, _registers.Endianness, Commit: 0));
        }
        _kvm.MpState = MpState.Suspended;
        _isSuspended = true;
    }

    private void End(SystemEvent effect)
    {
        // Memory that is overwritten is not kept.
        var isWarm = effect is { ClearMemory: false, Data: [var flags, 0, ..] } && (flags & ResetFlagReset2) != 0;
        var isReset = effect.Type == SystemEventType.Reset;
        if (!_powers.TryEnd(isReset ? $"vCPU {Number}" : null, isWarm ? ResetKind.Warm : ResetKind.Cold))
        {
            return;
        }
        if (isReset)
        {
            _owner.Reset(effect.ClearMemory);
        }
        else
        {
            _owner.PowerOff();
        }
    }
}

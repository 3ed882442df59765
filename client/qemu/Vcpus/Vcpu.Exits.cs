using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Vcpus;

internal sealed partial class Vcpu
{
    private Previous? _previous;
    private volatile Exit? _forwarded;
    /// <summary>The last one that was forwarded by this process.</summary>
    private Exit? _lastForwarded;
    /// <summary>The monitor has yet to say whether it took the interrupt.</summary>
    private (Exit? Exit, Decision Decision)? _taking;

    /// <summary>More of the exit that is being forwarded; null when it is over, or when what is asked for does not exist.</summary>
    public Supply? Supply(Need need)
    {
        if (_forwarded is not { } exit || exit.ExitId != need.ExitId || _unanswered is not { } taken || need.Interrupts.Count != 0)
        {
            return null;
        }
        var supply = new Supply { ExitId = exit.ExitId };
        foreach (var index in need.Registers)
        {
            if (index >= GuestRegisters.GeneralCount)
            {
                return null;
            }
            supply.Registers.Add(new Register { Index = index, Value = taken.Registers.General[(int)index] });
        }
        foreach (var register in need.System)
        {
            if (taken.Registers.GetSystem(register) is not { } value)
            {
                return null;
            }
            supply.System.Add(new SystemRegisterValue { Register = register, Value = value });
        }
        var left = (ulong)MostMemory;
        foreach (var range in need.Memory)
        {
            if (!_ram.IsGuestMemory(range.Base, range.Size) || range.Size > left)
            {
                return null;
            }
            left -= range.Size;
            supply.Memory.Add(new MemoryBlock
            {
                Base = range.Base,
                Data = Google.Protobuf.ByteString.CopyFrom(_ram.Slice(range.Base, (int)range.Size)),
            });
        }
        return supply;
    }

    // A message of the wire has 64 KiB.
    private const int MostMemory = 32 << 10;

    // The kernel's flag of such a reset event.
    private const ulong ResetFlagReset2 = 1;

    private void Take(MonitorExit exit)
    {
        _seen = exit.Request;
        _unanswered = exit;
        SettleTake();
        if (exit.Reason == MailboxLayout.ReasonBoot)
        {
            TakeBoot(exit);
            return;
        }
        if (!_powers.IsOn(Number))
        {
            // An exit of the boot before, which a reset has overtaken: its answer would be dropped.
            return;
        }
        if (!AttentionIsDue && IsKick(exit))
        {
            // Withdrawn meanwhile: the guest goes on, or sleeps on, and nobody need know.
            var command = exit.Reason == MailboxLayout.ReasonWake ? MailboxLayout.CommandWait : MailboxLayout.CommandResume;
            _mailbox.PrepareInterrupts(exit.Request);
            Publish(exit, (uint)command, loadSystem: false, exit.Registers);
            return;
        }
        if (!ConditionCode.Passed(exit.Esr, exit.Registers.Pstate))
        {
            _mailbox.PrepareInterrupts(exit.Request);
            Publish(exit, MailboxLayout.CommandResume, loadSystem: false, exit.Registers);
            return;
        }
        if (exit.Reason == MailboxLayout.ReasonKick && _owed.Next(Number) is { } intid)
        {
            _mailbox.Tell(intid);
            exit = exit with { Reason = MailboxLayout.ReasonInterrupt, Cause = intid };
            _unanswered = exit;
        }
        if (_mailbox.Interrupt is { } fired)
        {
            // It is active and fires no more: nobody else would ever tell of it. Owed before it is told, so that its end on another core ends this too.
            _owed.Add(Number, fired);
        }
        if (!ExitsToWire.TryConvert(exit, _ram, out var wire))
        {
            _owner.Fail($"vCPU {Number}: an exception that this host cannot serve: {exit.Describe()}.");
            return;
        }
        _attentionOwed &= exit.Reason is not (MailboxLayout.ReasonKick or MailboxLayout.ReasonInterrupt);
        wire.ExitId = ((ulong)_boot << 32) | exit.Request;
        wire.Boot = _boot;
        wire.Previous = _previous;
        AddUsed(wire, exit.Registers);
        _powers.EnterCall(Number);
        _lastForwarded = _forwarded = wire;
        var answer = Forwarder!.Forward(wire);
        _forwarded = null;
        if (_owner.HasEnded || _mailbox.Request != exit.Request || _powers.IsEnding)
        {
            return;
        }
        if (answer is not null && !AnswerRules.Allow(answer, wire, exit.Registers.Kind, _ram, OfferedInterrupts.Ranges, out var fault))
        {
            _owner.Log($"vCPU {Number}: an answer is refused: {fault}.");
            answer = null;
        }
        if (answer is null)
        {
            FallBack(exit, wire);
        }
        else
        {
            Apply(exit, answer);
        }
    }

    /// <summary>Caused by this host rather than by the guest.</summary>
    public static bool IsKick(MonitorExit exit) =>
        exit.Reason == MailboxLayout.ReasonKick || exit is { Reason: MailboxLayout.ReasonWake, Cause: MailboxLayout.CauseKick };

    private void AddUsed(Exit wire, GuestRegisters registers)
    {
        if (wire.Hypercall is not { } call)
        {
            return;
        }
        var uses = Forwarder!.Uses(call.Conduit, call.Imm, (uint)call.X0);
        for (var index = 6; index < 18 && uses >> index != 0; index++)
        {
            if ((uses >> index & 1) != 0)
            {
                call.Registers.Add(new Register { Index = (uint)index, Value = registers.General[index] });
            }
        }
    }

    private void FallBack(MonitorExit exit, Exit wire)
    {
        var registers = exit.Registers.Copy();
        if (wire.KindCase == Exit.KindOneofCase.Hypercall)
        {
            AnswerRegisters.FallBack(registers);
        }
        else
        {
            // Still wanted, perhaps, but the guest must come forward meanwhile.
            _attentionNotBefore = Environment.TickCount64 + AttentionPause;
        }
        _mailbox.PrepareInterrupts(exit.Request);
        // Told when it stands: what is told must not be taken back by another host process.
        Decide(exit, MailboxLayout.CommandResume, loadSystem: false, registers, new(wire.ExitId, Outcome.FellBack, _previous?.LastApplied ?? 0), () => Forwarder!.GaveUp(wire));
    }

    private void Apply(MonitorExit exit, Answer answer)
    {
        foreach (var block in answer.MemoryWrites)
        {
            block.Data.Span.CopyTo(_ram.Slice(block.Base, block.Data.Length));
        }
        var registers = exit.Registers.Copy();
        AnswerRegisters.WriteResults(answer, registers);
        var command = (uint)MailboxLayout.CommandResume;
        var loadSystem = false;
        var start = new CoreStart(0, 0, exit.Registers.Endianness, answer.Commit) { Incarnation = answer.Incarnation };
        var decision = new Decision(answer.ExitId, Outcome.Applied, answer.ExitId) { Attend = answer.AttendBeforeResume, Start = start };
        switch (answer.EffectCase)
        {
            case Answer.EffectOneofCase.PowerOn:
                start = start with { EntryPoint = answer.PowerOn.EntryPoint, ContextId = answer.PowerOn.ContextId };
                decision = decision with { Effect = DecidedEffect.PowerOn, Target = answer.PowerOn.Core, Start = start, IfRefused = answer.PowerOn.IfRefused };
                break;
            case Answer.EffectOneofCase.PowerOff:
                decision = decision with { Effect = DecidedEffect.PowerOff };
                break;
            // What the guest wakes with is set before it sleeps.
            case Answer.EffectOneofCase.Suspend:
                command = MailboxLayout.CommandWait;
                if (answer.Suspend.PowerDown is { } entry)
                {
                    registers.Enter(start with { EntryPoint = entry.EntryPoint, ContextId = entry.ContextId });
                    loadSystem = true;
                }
                break;
            case Answer.EffectOneofCase.SystemEvent when answer.SystemEvent.Type == SystemEventType.Suspend:
                command = MailboxLayout.CommandWait;
                registers.Enter(start with { EntryPoint = answer.SystemEvent.Data[0], ContextId = answer.SystemEvent.Data[1] });
                loadSystem = true;
                break;
            case Answer.EffectOneofCase.SystemEvent when answer.SystemEvent.Type == SystemEventType.Crash:
                _owner.Fail($"A service reports a crash at vCPU {Number}: data {string.Join(", ", answer.SystemEvent.Data.Select(data => $"0x{data:x}"))}.");
                return;
            case Answer.EffectOneofCase.SystemEvent:
                decision = decision with { Effect = EndOf(answer.SystemEvent) };
                command = decision.Effect == DecidedEffect.Shutdown ? (uint)MailboxLayout.CommandOff : MailboxLayout.CommandReset;
                if (!TryEnd(decision))
                {
                    return;
                }
                break;
            case Answer.EffectOneofCase.Load:
                loadSystem = AnswerRegisters.WriteLoad(answer.Load, registers);
                break;
            case Answer.EffectOneofCase.TakeInterrupt:
                decision = decision with { Effect = DecidedEffect.Take, LastApplied = _previous?.LastApplied ?? 0 };
                break;
        }
        _mailbox.PrepareInterrupts(exit.Request, answer.TakeInterrupt?.Intid ?? 0, answer.TakeInterrupt?.IfRefused ?? 0, answer.EndedInterrupts, answer.ReturnedInterrupts);
        Decide(exit, command, loadSystem, registers, decision);
    }

    /// <summary>From where the decision is kept, it is carried out, by this process or by the one after it.</summary>
    private void Decide(MonitorExit exit, uint command, bool loadSystem, GuestRegisters registers, Decision decision, Action? stands = null)
    {
        _mailbox.Prepare(command, loadSystem, registers);
        _records.Keep(decision);
        stands?.Invoke();
        _previous = decision.ToPrevious();
        CarryOut(exit.Request, decision);
    }

    /// <summary>An interrupt is taken, or refused, by the monitor on its way back to the guest; what the guest got for a refused one is told at once.</summary>
    private void SettleTake()
    {
        if (_taking is not var (exit, decision) || _mailbox.IsTakeRefused(decision.Request) is not { } isRefused)
        {
            return;
        }
        _taking = null;
        _previous = decision.ToPrevious(isRefused);
        if (isRefused && exit is not null)
        {
            Forwarder!.GaveUp(exit);
        }
    }

    private void CarryOut(uint request, Decision decision)
    {
        _attentionOwed |= decision.Attend;
        if (decision.Outcome == Outcome.Applied)
        {
            _owed.Answered(Number, _mailbox.Interrupt, _mailbox.Ended, _mailbox.Returned);
        }
        switch (decision.Effect)
        {
            case DecidedEffect.PowerOn:
                PowerOn(decision);
                break;
            case DecidedEffect.PowerOff:
                _attentionOwed = false;
                _powers.PowerOff(Number, decision.Start.Commit);
                StayOff();
                return;
            case DecidedEffect.Take:
                _taking = (_lastForwarded, decision);
                break;
        }
        _powers.LeaveCall(Number, _mailbox.IsToWait);
        Release(request);
    }

    /// <summary>Shared interrupts are another core's from now on: those that fire, and those that did.</summary>
    private void StayOff()
    {
        if (_mailbox.TurnOff())
        {
            _door.Ring();
        }
        _owed.CoreStopped(Number);
    }

    private void PowerOn(Decision decision)
    {
        var target = _owner.Find(decision.Target);
        // Given before by a host process that was killed: its commit is not to be given twice, nor is it refused.
        var isDone = decision == _found?.Undone && target?.HasBeenGiven(decision.Start) == true;
        if (target is not null && target != this && (isDone || _powers.TryPowerOn(target.Number, decision.Start)))
        {
            target.Nudge();
            return;
        }
        if (_mailbox.IsCall)
        {
            // A stopped core is no caller: its x0 is the guest's own.
            _mailbox.PrepareX0(decision.IfRefused);
        }
        if (target is null)
        {
            _owner.Log(AnswerRules.NoSuchCore(Number, decision.Target));
            return;
        }
        _powers.Refused(target.Number, decision.Start.Commit);
    }

    private bool TryEnd(Decision decision)
    {
        if (!_powers.TryEnd(decision.Effect == DecidedEffect.Shutdown ? null : $"vCPU {Number}", decision.ResetKind))
        {
            return false;
        }
        if (decision.Effect == DecidedEffect.Shutdown)
        {
            _owner.PoweringOff();
        }
        else
        {
            _owner.Resetting(decision.Effect == DecidedEffect.ResetClear);
        }
        return true;
    }

    private static DecidedEffect EndOf(SystemEvent effect) =>
        effect.Type != SystemEventType.Reset ? DecidedEffect.Shutdown
        : effect.ClearMemory ? DecidedEffect.ResetClear
        : IsWarm(effect) ? DecidedEffect.ResetWarm
        : DecidedEffect.ResetCold;

    /// <summary>Flags, type and cookie, as the kernel gives them: SYSTEM_RESET2 of the one architectural type. Memory that is overwritten is not kept.</summary>
    private static bool IsWarm(SystemEvent effect) =>
        effect is { Type: SystemEventType.Reset, ClearMemory: false, Data: [var flags, 0, ..] } && (flags & ResetFlagReset2) != 0;
}

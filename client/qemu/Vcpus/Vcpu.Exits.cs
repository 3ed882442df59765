using Hypercalls.Protos;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Vcpus;

internal sealed partial class Vcpu
{
    private Previous? _previous;
    private volatile Exit? _forwarded;

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
        foreach (var range in need.Memory)
        {
            if (!_ram.IsGuestMemory(range.Base, range.Size) || range.Size > MostMemory)
            {
                return null;
            }
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
            Publish(exit, (uint)command, loadSystem: false, exit.Registers);
            return;
        }
        if (!ConditionCode.Passed(exit.Esr, exit.Registers.Pstate))
        {
            Publish(exit, MailboxLayout.CommandResume, loadSystem: false, exit.Registers);
            return;
        }
        if (!ExitsToWire.TryConvert(exit, _ram, out var wire))
        {
            _owner.Fail($"vCPU {Number}: an exception that this host cannot serve: {exit.Describe()}.");
            return;
        }
        _attentionOwed &= exit.Reason != MailboxLayout.ReasonKick;
        wire.ExitId = ((ulong)_boot << 32) | exit.Request;
        wire.Boot = _boot;
        wire.Previous = _previous;
        AddUsed(wire, exit.Registers);
        _powers.EnterCall(Number);
        _forwarded = wire;
        var answer = Forwarder!.Forward(wire);
        _forwarded = null;
        if (_owner.HasEnded || _mailbox.Request != exit.Request || _powers.IsEnding)
        {
            return;
        }
        if (answer is not null && !AnswerRules.Allow(answer, wire, exit.Registers.Kind, _ram, out var fault))
        {
            _owner.Log($"vCPU {Number}: an answer is refused: {fault}.");
            answer = null;
        }
        _previous = new()
        {
            ExitId = wire.ExitId,
            Outcome = answer is null ? Outcome.FellBack : Outcome.Applied,
            LastApplied = answer is null ? _previous?.LastApplied ?? 0 : wire.ExitId,
        };
        if (answer is null)
        {
            FallBack(exit, wire);
        }
        else
        {
            Apply(exit, answer);
        }
    }

    private static bool IsKick(MonitorExit exit) =>
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
        Forwarder!.GaveUp(wire);
        _powers.LeaveCall(Number);
        Publish(exit, MailboxLayout.CommandResume, loadSystem: false, registers);
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
        _attentionOwed |= answer.AttendBeforeResume;
        switch (answer.EffectCase)
        {
            case Answer.EffectOneofCase.PowerOn:
                PowerOn(answer.PowerOn, answer.Commit, registers);
                break;
            case Answer.EffectOneofCase.PowerOff:
                _attentionOwed = false;
                _powers.PowerOff(Number, answer.Commit);
                return;
            // What the guest wakes with is set before it sleeps.
            case Answer.EffectOneofCase.Suspend:
                command = MailboxLayout.CommandWait;
                if (answer.Suspend.PowerDown is { } entry)
                {
                    registers.Enter(new(entry.EntryPoint, entry.ContextId, exit.Registers.Endianness, answer.Commit));
                    loadSystem = true;
                }
                break;
            case Answer.EffectOneofCase.SystemEvent when answer.SystemEvent.Type == SystemEventType.Suspend:
                command = MailboxLayout.CommandWait;
                registers.Enter(new(answer.SystemEvent.Data[0], answer.SystemEvent.Data[1], exit.Registers.Endianness, answer.Commit));
                loadSystem = true;
                break;
            case Answer.EffectOneofCase.SystemEvent:
                if (!TryEnd(answer.SystemEvent, out command))
                {
                    return;
                }
                break;
            case Answer.EffectOneofCase.Load:
                loadSystem = AnswerRegisters.WriteLoad(answer.Load, registers);
                break;
        }
        _powers.LeaveCall(Number, isSuspended: command == MailboxLayout.CommandWait);
        Publish(exit, command, loadSystem, registers);
    }

    private void PowerOn(PowerOn effect, ulong commit, GuestRegisters caller)
    {
        var target = _owner.Find(effect.Core);
        if (target is not null && target != this && _powers.TryPowerOn(target.Number, new(effect.EntryPoint, effect.ContextId, caller.Endianness, commit)))
        {
            target.Nudge();
            return;
        }
        caller.General[0] = effect.IfRefused;
        if (target is not null)
        {
            _powers.Refused(target.Number, commit);
        }
    }

    private bool TryEnd(SystemEvent effect, out uint command)
    {
        command = effect.Type == SystemEventType.Reset ? (uint)MailboxLayout.CommandReset : MailboxLayout.CommandOff;
        if (effect.Type == SystemEventType.Crash)
        {
            _owner.Fail($"A service reports a crash at vCPU {Number}: data {string.Join(", ", effect.Data.Select(data => $"0x{data:x}"))}.");
            return false;
        }
        if (!_powers.TryEnd(effect.Type == SystemEventType.Reset ? $"vCPU {Number}" : null, IsWarm(effect) ? ResetKind.Warm : ResetKind.Cold))
        {
            return false;
        }
        if (effect.Type == SystemEventType.Reset)
        {
            _owner.Resetting(effect.ClearMemory);
        }
        else
        {
            _owner.PoweringOff();
        }
        return true;
    }

    /// <summary>Flags, type and cookie, as the kernel gives them: SYSTEM_RESET2 of the one architectural type. Memory that is overwritten is not kept.</summary>
    private static bool IsWarm(SystemEvent effect) =>
        effect is { Type: SystemEventType.Reset, ClearMemory: false, Data: [var flags, 0, ..] } && (flags & ResetFlagReset2) != 0;
}

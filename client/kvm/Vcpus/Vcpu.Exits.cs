using Hypercalls.Client;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;

namespace Hypercalls.Kvm.Vcpus;

/// <summary>What becomes of exits.</summary>
internal sealed partial class Vcpu
{
    // A message of the wire has 64 KiB.
    private const int MostMemory = 32 << 10;

    private Previous? _previous;
    private volatile Exit? _forwarded;

    /// <summary>More of the exit that is being forwarded, on this vCPU's thread; null when it is over, or when what is asked for does not exist.</summary>
    public Supply? Supply(Need need)
    {
        if (_forwarded is not { } exit || exit.ExitId != need.ExitId || need.Interrupts.Count != 0)
        {
            return null;
        }
        var supply = new Supply { ExitId = exit.ExitId };
        foreach (var index in need.Registers)
        {
            if (index >= AnswerRules.GeneralRegisters)
            {
                return null;
            }
            supply.Registers.Add(new Register { Index = index, Value = _registers.GetGeneral((int)index) });
        }
        foreach (var register in need.System)
        {
            if (_registers.GetSystem(register) is not { } value)
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
            var bytes = new byte[range.Size];
            _ram.Read(range.Base, bytes);
            supply.Memory.Add(new MemoryBlock { Base = range.Base, Data = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(bytes) });
        }
        return supply;
    }

    private void Take(ExitReason reason)
    {
        switch (reason)
        {
            case ExitReason.Interrupted:
                break;
            case ExitReason.Hypercall when !IsOver:
                Call();
                break;
            case ExitReason.Hypercall:
                break;
            case ExitReason.Mmio when TryAccess():
                break;
            case ExitReason.SystemEvent:
                Take(_kvm.Page.SystemEvent);
                break;
            case ExitReason.Debug:
                Debugged();
                break;
            default:
                Failed(reason);
                break;
        }
    }

    private void Call()
    {
        if (_owner.PsciIsTheKernels)
        {
            _powers.Appear(Number);
        }
        var wire = new Exit();
        if (VcpuExits.TryCall(_kvm.Page.Hypercall, _registers, _calls, out var call))
        {
            wire.Hypercall = call;
            AddUsed(call);
            Serve(wire);
        }
    }

    private void AddUsed(HypercallExit call)
    {
        var uses = Forwarder!.Uses(call.Conduit, call.Imm, (uint)call.X0) & VcpuExits.MostUsed;
        _registers.FetchGeneral(uses);
        for (var index = 0; uses >> index != 0; index++)
        {
            if ((uses >> index & 1) != 0)
            {
                call.Registers.Add(new Register { Index = (uint)index, Value = _registers.GetGeneral(index) });
            }
        }
    }

    /// <summary>An exit that this host makes: the core is stopped where it is, or woken first. False where the core has nothing to stop.</summary>
    private bool TryAttend()
    {
        if (_isSuspended)
        {
            Wake(WakeCause.Attention);
            return true;
        }
        // With PSCI in the kernel a core may have been switched off there.
        if (_owner.PsciIsTheKernels)
        {
            if (_kvm.MpState != MpState.Runnable)
            {
                PauseAttention(UnansweredPause);
                return false;
            }
            _powers.Appear(Number);
        }
        if (_isAccessing)
        {
            // Before PC is touched: KVM would move whatever is in it then.
            _registers.Complete(TakeData());
        }
        _attentionOwed = false;
        Serve(new() { Attention = new() { Registers = _registers.ToWire(), Reason = AttentionReason.Requested } });
        return true;
    }

    private void Wake(WakeCause cause)
    {
        _kvm.MpState = MpState.Runnable;
        _isSuspended = false;
        Serve(new() { Wake = new() { Cause = cause } });
    }

    private bool TryAccess()
    {
        var (address, length, isWrite) = _kvm.Page.Mmio;
        _isAccessing = true;
        return isWrite ? _bus.TryWrite(address, (uint)length, _kvm.Page.MmioData) : _bus.TryRead(address, (uint)length, _data);
    }

    private void Take(KvmSystemEvent systemEvent)
    {
        var data = _kvm.Page.SystemEventData;
        switch (systemEvent)
        {
            case KvmSystemEvent.Wakeup:
                if (_isSuspended && !IsOver)
                {
                    Wake(WakeCause.Interrupt);
                }
                break;
            // What the kernel's own PSCI decided: it has stopped every vCPU.
            case KvmSystemEvent.Shutdown:
                Report(VcpuExits.ToWire(systemEvent, data));
                if (_powers.TryEnd(resetCause: null))
                {
                    _owner.PowerOff();
                }
                break;
            case KvmSystemEvent.Reset:
                Report(VcpuExits.ToWire(systemEvent, data));
                if (_powers.TryEnd($"vCPU {Number}, by the kernel's PSCI", data is [var flags, ..] && (flags & ResetFlagReset2) != 0 ? ResetKind.Warm : ResetKind.Cold))
                {
                    _owner.Reset(clearMemory: false);
                }
                break;
            default:
                Report(VcpuExits.ToWire(systemEvent, data));
                _owner.Fail($"vCPU {Number}: KVM reports a system event {systemEvent}, data {VcpuExits.Text(data)}.");
                break;
        }
    }

    private void Debugged()
    {
        var (esr, isHighValid, far) = _kvm.Page.Debug;
        var pc = _registers.Pc;
        Report(new() { Debug = new() { Esr = esr, EsrHighValid = isHighValid, Far = far, Pc = pc } });
        _owner.Fail($"vCPU {Number} stopped at a debug exception: ESR 0x{esr:x}{(isHighValid ? "" : " (bits 63:32 unknown)")}, FAR 0x{far:x}, PC 0x{pc:x}.");
    }

    private void Failed(ExitReason reason)
    {
        var (report, exit) = VcpuExits.Failure(reason, _kvm.Page);
        var pc = _registers.Pc;
        Report(exit);
        _owner.Fail($"vCPU {Number} cannot go on at PC 0x{pc:x}: {report}.");
    }

    /// <summary>Tells the daemon of what this host does by itself, whether or not anybody hears.</summary>
    private void Report(Exit wire)
    {
        try
        {
            Forward(wire);
        }
        catch (MachineStopsException)
        {
            // Nobody was there; the machine is stopped or reset in any case.
        }
    }

    private Answer? Forward(Exit wire)
    {
        wire.ExitId = ((ulong)_boot << 32) | ++_exits;
        wire.Boot = _boot;
        wire.Previous = _previous;
        _forwarded = wire;
        try
        {
            return Forwarder!.Forward(wire);
        }
        finally
        {
            _forwarded = null;
            _steps++;
        }
    }

    private void Serve(Exit wire)
    {
        _powers.EnterCall(Number);
        var answer = Forward(wire);
        if (IsOver)
        {
            return;
        }
        if (answer is not null && !AnswerRules.Allow(answer, wire, _guest, _ram, [], out var fault))
        {
            _owner.Log($"vCPU {Number}: an answer is refused: {fault}.");
            answer = null;
        }
        if (answer is null)
        {
            FallBack(wire);
        }
        else
        {
            Apply(answer, isCall: wire.KindCase == Exit.KindOneofCase.Hypercall);
            if (wire.Attention is not null && answer.EffectCase == Answer.EffectOneofCase.None)
            {
                // Wanted by mistake, or no longer: the daemon's next word may be on its way.
                PauseAttention(UnchangedPause);
            }
        }
    }
}

using Hypercalls.Protos;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Vcpus;

/// <summary>What the monitor reports, as the wire says it. False for an exception that is no exit of this guest.</summary>
internal static class ExitsToWire
{
    private const uint ExceptionHvc32 = 0x12;
    private const uint ExceptionSmc32 = 0x13;
    private const uint ExceptionHvc64 = 0x16;
    private const uint ExceptionSmc64 = 0x17;

    public static bool TryConvert(MonitorExit exit, GuestRam ram, out Exit wire)
    {
        wire = new();
        switch (exit.Reason)
        {
            case MailboxLayout.ReasonEl3 when exit.ExceptionClass == ExceptionSmc64:
                wire.Hypercall = Hypercall(exit, Conduit.Smc, exit.Immediate);
                return true;
            case MailboxLayout.ReasonEl3 when exit.ExceptionClass == ExceptionSmc32:
                wire.Hypercall = Hypercall(exit, Conduit.Smc, SmcImmediate.Read(exit, ram));
                return true;
            // What EL2 takes is the guest's own when it is there.
            case MailboxLayout.ReasonEl2 when exit.ExceptionClass is ExceptionHvc32 or ExceptionHvc64 && exit.Registers.Kind.ClientEl == 1:
                wire.Hypercall = Hypercall(exit, Conduit.Hvc, exit.Immediate);
                return true;
            case MailboxLayout.ReasonKick:
                wire.Attention = new() { Registers = exit.Registers.ToWire(), Reason = AttentionReason.Requested };
                return true;
            case MailboxLayout.ReasonInterrupt when OfferedInterrupts.Contain(exit.Cause):
                wire.Attention = new() { Registers = exit.Registers.ToWire(), Reason = AttentionReason.Interrupt, Intid = exit.Cause };
                return true;
            case MailboxLayout.ReasonWake:
                wire.Wake = new() { Cause = exit.Cause == MailboxLayout.CauseKick ? WakeCause.Attention : WakeCause.Interrupt };
                return true;
            default:
                return false;
        }
    }

    private static HypercallExit Hypercall(MonitorExit exit, Conduit conduit, uint? immediate)
    {
        var x = exit.Registers.General;
        var call = new HypercallExit
        {
            Conduit = conduit,
            X0 = x[0],
            X1 = x[1],
            X2 = x[2],
            X3 = x[3],
            X4 = x[4],
            X5 = x[5],
            Pstate = exit.Registers.Pstate,
            Esr = exit.Esr,
            Pc = exit.Registers.Pc,
        };
        if (immediate is { } known)
        {
            call.Imm = known;
        }
        return call;
    }
}

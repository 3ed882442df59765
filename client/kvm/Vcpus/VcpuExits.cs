using Hypercalls.Hosts.Vcpus;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Translation;
using Hypercalls.Protos;

namespace Hypercalls.Kvm.Vcpus;

/// <summary>KVM's exits, as the wire says them.</summary>
internal static class VcpuExits
{
    /// <summary>x6 to x17: what a call may use above its arguments.</summary>
    public const uint MostUsed = 0x3_ffc0;

    /// <summary>
    /// False for an SMC whose condition failed: some machines trap it all the same, and it is no call. x0 is read only where its upper half may mean something: with
    /// immediate 0 the function is w0 (DEN0028, SMCCC definition), which the exit tells, and a read is spared.
    /// </summary>
    public static bool TryCall((uint Function, bool IsSmc) exit, VcpuRegisters registers, CallReader calls, out HypercallExit call)
    {
        call = new()
        {
            Conduit = exit.IsSmc ? Conduit.Smc : Conduit.Hvc,
            X0 = exit.Function,
            X1 = registers.GetGeneral(1),
            X2 = registers.GetGeneral(2),
            X3 = registers.GetGeneral(3),
            X4 = registers.GetGeneral(4),
            X5 = registers.GetGeneral(5),
            Pstate = registers.Pstate,
        };
        // KVM forwards an AArch64 SMC with no other immediate.
        if (exit.IsSmc && !registers.IsAArch32)
        {
            call.Imm = 0;
            return true;
        }
        call.Pc = registers.Pc;
        var instruction = calls.Read(registers) is { } read && read.Conduit == call.Conduit ? read : (CallInstruction?)null;
        if (instruction is { } known)
        {
            call.Imm = known.Immediate;
        }
        if (instruction?.Immediate != 0 && !registers.IsAArch32)
        {
            call.X0 = registers.GetGeneral(0);
        }
        return instruction?.Condition is not { } condition || ConditionCode.Holds(condition, (uint)(call.Pstate >> 28) & 0xf);
    }

    public static Exit ToWire(KvmSystemEvent systemEvent, ulong[] data) =>
        new() { SystemEvent = new() { Type = (uint)systemEvent, Count = (uint)data.Length, Data = { data } } };

    /// <summary>A sentence for a person, and what the daemon gets.</summary>
    public static (string Report, Exit Exit) Failure(ExitReason reason, RunPage page)
    {
        switch (reason)
        {
            case ExitReason.FailEntry:
                var entry = page.Words(2);
                return ($"the guest cannot be entered, hardware reason 0x{entry[0]:x} on CPU {(uint)entry[1]}", ToWire(reason, entry));
            case ExitReason.InternalError:
                var (suberror, data) = page.InternalError;
                return ($"an internal error of KVM, suberror {suberror}, data {Text(data)}", ToWire(reason, [suberror, .. data]));
            case ExitReason.ArmNisv or ExitReason.ArmLdst64B:
                var access = page.Words(2);
                return ($"an instruction that KVM cannot decode accesses 0x{access[1]:x}, which is not RAM", ToWire(reason, access));
            case ExitReason.Mmio:
                var (address, length, isWrite) = page.Mmio;
                return ($"{(isWrite ? "a write" : "a read")} of {length} bytes at 0x{address:x}", ToWire(reason, [address, (uint)length]));
            case ExitReason.MemoryFault:
                var fault = page.Words(3);
                return ($"KVM cannot reach guest memory 0x{fault[1]:x}", ToWire(reason, fault));
            case ExitReason.ArmSea:
                var abort = page.Words(4);
                return ($"a synchronous external abort, ESR 0x{abort[1]:x}", ToWire(reason, abort));
            default:
                var words = page.Words(4);
                return ($"an exit that this host does not know, {(uint)reason}", ToWire(reason, words));
        }
    }

    public static string Text(IEnumerable<ulong> data) => $"[{string.Join(", ", data.Select(word => $"0x{word:x}"))}]";

    // The reason is the first word: the message has no other place for it.
    private static Exit ToWire(ExitReason reason, ulong[] words) =>
        new() { Failure = new() { Count = (uint)words.Length + 1, Data = { words.Prepend((ulong)reason) } } };
}

using Hypercalls.Sdk;
using static Hypercalls.Psci.PsciStatus;

namespace Hypercalls.Psci;

/// <summary>The system as a whole (DEN0022, SYSTEM_OFF; SYSTEM_OFF2; SYSTEM_RESET; SYSTEM_RESET2; MEM_PROTECT; MEM_PROTECT_CHECK_RANGE).</summary>
public sealed partial class PsciService
{
    private const uint HibernateOff = 1;
    private const uint WarmReset = 0;

    // The kernel's flags: KVM_SYSTEM_EVENT_SHUTDOWN_FLAG_PSCI_OFF2, KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2.
    private const ulong ByOff2 = 1;
    private const ulong ByReset2 = 1;

    private static Answer SystemOff(in Hypercall call) => ThatIsAll(new(SystemEventType.Shutdown));

    private static Outcome<PsciState> SystemReset(in Hypercall call, PsciState state) =>
        ThatIsAll(new(SystemEventType.Reset, ClearMemory: state.MemProtect));

    private Outcome<PsciState> SystemReset2(in Hypercall call, PsciState state)
    {
        var (type, cookie) = ((uint)call[1], call[2]);
        if (type == WarmReset)
        {
            return ThatIsAll(new(SystemEventType.Reset, [ByReset2, WarmReset, cookie]));
        }

        foreach (var reset in _settings.VendorResets.Span)
        {
            if (reset.Type == type)
            {
                return ThatIsAll(reset.Action == VendorResetAction.Shutdown
                    ? new(SystemEventType.Shutdown)
                    : new(SystemEventType.Reset, [ByReset2, type, cookie], ClearMemory: state.MemProtect));
            }
        }

        return Status(InvalidParameters);
    }

    // Issue F knows HIBERNATE_OFF as 1; since F.b 0 means it too.
    private static Answer SystemOff2(in Hypercall call) =>
        (uint)call[1] <= HibernateOff && call[2] == 0 ? ThatIsAll(new(SystemEventType.Shutdown, [ByOff2])) : Status(InvalidParameters);

    private static Outcome<PsciState> MemProtect(in Hypercall call, PsciState state) =>
        (state with { MemProtect = (uint)call[1] != 0, MemProtectBy = call.Core }, Answer.Value(state.MemProtect ? 1u : 0));

    private static Answer MemProtectCheckRange(in Hypercall call)
    {
        var (first, length) = (call[1], call[2]);
        if (length == 0 || first + (length - 1) < first)
        {
            return Status(Denied);
        }

        // Ranges may touch: what one of them covers is taken off, until nothing is left.
        while (call.Machine.RamAt(first) is { } range)
        {
            var covered = range.Size - (first - range.Base);
            if (length <= covered)
            {
                return Status(Success);
            }

            first += covered;
            length -= covered;
        }

        return Status(Denied);
    }

    private static Answer ThatIsAll(Effect.SystemEvent effect) => Answer.NoResults with { Then = effect };
}

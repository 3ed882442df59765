using System.Runtime.CompilerServices;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;

namespace Hypercalls.Qemu.Monitor;

/// <summary>
/// What is kept in a vCPU's mailbox page for the host process after this one: its last start and its last two decisions. All of it is the guest's to forge.
/// </summary>
internal sealed unsafe class VcpuRecords(GuestRam ram, int number)
{
    private readonly byte* _page = ram.At(ram.MailboxArea + (ulong)(MailboxLayout.Pages + (number * MailboxLayout.PageSize)), MailboxLayout.PageSize);

    private int? _last;

    /// <summary>Interrupts of which the daemon has not heard.</summary>
    public InterruptSet Owed { get; } = new(ram, number, MailboxLayout.Owed);

    /// <summary>Keeps a start that answers the exit at which the vCPU stands; to be called before anything of it can be seen.</summary>
    public void Keep(uint boot, CoreStart start)
    {
        var exitId = ((ulong)boot << 32) | Volatile.Read(ref Word(MailboxLayout.Req));
        Forget(MailboxLayout.StartExit);
        WriteStart(MailboxLayout.StartIncarnation, MailboxLayout.StartCommit, MailboxLayout.StartEntry, MailboxLayout.StartContext, MailboxLayout.StartEndianness, start);
        Long(MailboxLayout.StartR1) = start.R1;
        Long(MailboxLayout.StartR2) = start.R2;
        Volatile.Write(ref Long(MailboxLayout.StartExit), exitId);
    }

    /// <summary>The last start and the exit it answers; null where none is complete.</summary>
    public (ulong ExitId, CoreStart Start)? Start
    {
        get
        {
            var exitId = Volatile.Read(ref Long(MailboxLayout.StartExit));
            var start = ReadStart(MailboxLayout.StartIncarnation, MailboxLayout.StartCommit, MailboxLayout.StartEntry, MailboxLayout.StartContext, MailboxLayout.StartEndianness)
                with
            { R1 = Long(MailboxLayout.StartR1), R2 = Long(MailboxLayout.StartR2) };
            return exitId == 0 ? null : (exitId, start);
        }
    }

    /// <summary>Keeps a decision in the place of the older one; to be called when the answer frame is complete and before anything else is done.</summary>
    public void Keep(Decision decision)
    {
        // In turn: over the one that is not the latest.
        _last = _last is { } last ? 1 - last : Latest(decision.Boot) is { } latest && latest == Read(0, decision.Boot) ? 1 : 0;
        var at = PlaceOf(_last.Value);
        Forget(at + MailboxLayout.DecisionExit);
        Long(at + MailboxLayout.DecisionLastApplied) = decision.LastApplied;
        Word(at + MailboxLayout.DecisionOutcome) = (uint)decision.Outcome;
        Word(at + MailboxLayout.DecisionEffect) = (uint)decision.Effect;
        Long(at + MailboxLayout.DecisionTarget) = decision.Target;
        Long(at + MailboxLayout.DecisionIfRefused) = decision.IfRefused;
        Word(at + MailboxLayout.DecisionAttend) = decision.Attend ? 1u : 0u;
        WriteStart(
            at + MailboxLayout.DecisionIncarnation, at + MailboxLayout.DecisionCommit, at + MailboxLayout.DecisionEntry, at + MailboxLayout.DecisionContext,
            at + MailboxLayout.DecisionEndianness, decision.Start);
        Volatile.Write(ref Long(at + MailboxLayout.DecisionExit), decision.ExitId);
    }

    /// <summary>The last complete decision of that boot, null where there is none.</summary>
    public Decision? Latest(uint boot)
    {
        var (first, second) = (Read(0, boot), Read(1, boot));
        return first is null || (second is not null && (int)(second.Request - first.Request) > 0) ? second : first;
    }

    private static int PlaceOf(int index) => MailboxLayout.Decisions + (index * MailboxLayout.DecisionSize);

    private Decision? Read(int index, uint boot)
    {
        var at = PlaceOf(index);
        var exitId = Volatile.Read(ref Long(at + MailboxLayout.DecisionExit));
        var (outcome, effect) = ((Outcome)Word(at + MailboxLayout.DecisionOutcome), (DecidedEffect)Word(at + MailboxLayout.DecisionEffect));
        var decision = new Decision(exitId, outcome, Long(at + MailboxLayout.DecisionLastApplied))
        {
            Effect = effect,
            Target = Long(at + MailboxLayout.DecisionTarget),
            IfRefused = Long(at + MailboxLayout.DecisionIfRefused),
            Attend = Word(at + MailboxLayout.DecisionAttend) != 0,
            Start = ReadStart(
                at + MailboxLayout.DecisionIncarnation, at + MailboxLayout.DecisionCommit, at + MailboxLayout.DecisionEntry, at + MailboxLayout.DecisionContext,
                at + MailboxLayout.DecisionEndianness),
        };
        return exitId != 0 && decision.Boot == boot && outcome is Outcome.Applied or Outcome.FellBack && Enum.IsDefined(effect) ? decision : null;
    }

    private void Forget(int name)
    {
        Volatile.Write(ref Long(name), 0);
        // Before what follows, on every kind of processor.
        Interlocked.MemoryBarrier();
    }

    private void WriteStart(int incarnation, int commit, int entry, int context, int endianness, CoreStart start)
    {
        Long(incarnation) = start.Incarnation;
        Long(commit) = start.Commit;
        Long(entry) = start.EntryPoint;
        Long(context) = start.ContextId;
        Word(endianness) = (start.Endianness.Exceptions ? 1u : 0u) | (start.Endianness.Data ? 2u : 0u);
    }

    private CoreStart ReadStart(int incarnation, int commit, int entry, int context, int endianness) =>
        new(Long(entry), Long(context), new((Word(endianness) & 1) != 0, (Word(endianness) & 2) != 0), Long(commit)) { Incarnation = Long(incarnation) };

    private ref uint Word(int offset) => ref Unsafe.AsRef<uint>(_page + offset);

    private ref ulong Long(int offset) => ref Unsafe.AsRef<ulong>(_page + offset);
}

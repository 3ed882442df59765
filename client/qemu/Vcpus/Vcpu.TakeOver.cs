using Hypercalls.Hosts.Vcpus;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Vcpus;

/// <summary>How a vCPU goes on whose host process was killed.</summary>
internal sealed partial class Vcpu
{
    private FoundCore? _found;

    /// <summary>The core as it is now; null while it is on its way out of reset or into an exit.</summary>
    public FoundCore? Look(uint boot) => FoundCore.Of(_mailbox, _records, boot);

    /// <summary>Goes on from there; before the thread begins.</summary>
    public void TakeOver(uint boot, FoundCore found)
    {
        _found = found;
        _boot = boot;
        Mpidr = _mailbox.Mpidr & AffinityMask;
        Identity = _mailbox.ReadIdentity();
        _previous = found.Latest is { } latest ? latest.ToPrevious(latest.Effect == DecidedEffect.Take && _mailbox.IsTakeRefused(latest.Request) == true) : null;
        if (found is { Latest: { Effect: DecidedEffect.Take } taking, Unanswered: null })
        {
            // The monitor may yet be on its way.
            _taking = (null, taking);
        }
        _attentionOwed = found.AttentionOwed;
        // An exit that nobody has decided is taken once more, under the number that it had.
        var isUndecided = found is { Unanswered: not null, IsOff: false, Undone: null };
        _seen = isUndecided ? found.Request - 1 : found.Request;
        _unanswered = isUndecided ? null : found.Unanswered;
    }

    /// <summary>Carries out what was decided and not done; when every vCPU is taken over and before any thread begins.</summary>
    public void Finish()
    {
        var found = _found!;
        if (found.Latest is { EndsTheBoot: true } end && !TryEnd(end))
        {
            return;
        }
        if (found.IsOff)
        {
            if (found.Unanswered?.Reason == MailboxLayout.ReasonBoot)
            {
                _owed.Forget(Number);
            }
            StayOff();
        }
        if (found.Undone is not { } undone)
        {
            // The bell for an answer may never have been rung.
            if (found.Unanswered is null && _mailbox.Rouse())
            {
                _door.Ring();
            }
        }
        else if (undone.EndsTheBoot || !_powers.IsEnding)
        {
            CarryOut(found.Request, undone);
        }
    }

    /// <summary>That start was given to this core, and perhaps another since: a daemon's commits are numbers that grow.</summary>
    private bool HasBeenGiven(CoreStart start) =>
        _records.Start is { } given && (uint)(given.ExitId >> 32) == _boot
        && (given.Start.Incarnation, given.Start.Commit).CompareTo((start.Incarnation, start.Commit)) >= 0;
}

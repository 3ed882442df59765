using Hypercalls.Hosts.Vcpus;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Vcpus;

/// <summary>One core as a host process that takes over finds it: all of it follows from its exit, its answer and what was kept of both.</summary>
internal sealed record FoundCore
{
    /// <summary>The number of its last exit.</summary>
    public required uint Request { get; init; }

    /// <summary>That exit, when nobody has answered it.</summary>
    public MonitorExit? Unanswered { get; init; }

    /// <summary>The last decision of this boot: what its next exit tells of.</summary>
    public Decision? Latest { get; init; }

    /// <summary>The start with which its exit is to be answered: at once when it is off, else when the exit turns out to be its power-off.</summary>
    public CoreStart? Start { get; init; }

    /// <summary>It stands at its BOOT exit or at that of a power-off.</summary>
    public bool IsOff { get; init; }

    /// <summary>It waits for an interrupt, as its last answer had it.</summary>
    public bool IsSuspended { get; init; }

    /// <summary>It was stopped, or is about to be, for an attention exit that the daemon may not have seen.</summary>
    public bool AttentionOwed { get; init; }

    /// <summary>It has not run in this boot, and nothing makes it.</summary>
    public bool IsFresh => Unanswered?.Reason == MailboxLayout.ReasonBoot && Start is null;

    /// <summary>What is still to be carried out.</summary>
    public Decision? Undone => !IsOff && Unanswered is not null && Latest?.Request == Request ? Latest : null;

    public CoreBefore ToBefore() => new(IsOff, Start, Unanswered is not null, IsSuspended);

    /// <summary>Null while the core is on its way out of reset or into an exit, neither of which needs a host.</summary>
    public static FoundCore? Of(Mailbox mailbox, VcpuRecords records, uint boot)
    {
        var (request, isAnswered) = (mailbox.Request, mailbox.Request == mailbox.Response);
        if (boot == 0 || !mailbox.TryRead(out var exit) || exit.Request != request || exit.Boot != boot)
        {
            return null;
        }
        var latest = records.Latest(boot);
        var isLatest = latest?.Request == request;
        var isOff = !isAnswered && (exit.Reason == MailboxLayout.ReasonBoot || (isLatest && latest!.Effect == DecidedEffect.PowerOff));
        return new()
        {
            Request = request,
            Unanswered = isAnswered ? null : exit,
            Latest = latest,
            Start = !isAnswered && records.Start is { } start && start.ExitId == (((ulong)boot << 32) | request) ? start.Start : null,
            IsOff = isOff,
            IsSuspended = isAnswered && mailbox.IsToWait,
            AttentionOwed = !isOff && (mailbox.KickIsPending || (isAnswered ? isLatest && latest!.Attend : Vcpu.IsKick(exit))),
        };
    }
}

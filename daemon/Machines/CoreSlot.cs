using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>What the daemon keeps of one core for one host, under the machine's lock. The vCPU's stream holds it: a host that takes over gets others, and the streams of the one before end.</summary>
internal sealed class CoreSlot(int number, Core core)
{
    /// <summary>As a host that takes over finds it.</summary>
    public CoreSlot(int number, Core core, CoreSlot before)
        : this(number, core)
    {
        (Last, AnsweredBusy, UnseenBeforeBusy) = (before.Last, before.AnsweredBusy, before.UnseenBeforeBusy);
        foreach (var effect in before.Queued)
        {
            Queued.Enqueue(effect);
        }
    }

    public int Number { get; } = number;

    public Mpidr Mpidr { get; } = core.Mpidr;

    public CorePower Power { get; set; } = core.Power;

    /// <summary>The last exit answered, for repeats and for what became of it.</summary>
    public AnsweredExit? Last { get; set; }

    /// <summary>An exit that was answered NOT_SUPPORTED without the lock, because the machine was busy: written by the vCPU's stream alone.</summary>
    public ulong? AnsweredBusy { get; set; }

    /// <summary>The exit before it, where the host reported with it that the guest never saw that answer.</summary>
    public ulong? UnseenBeforeBusy { get; set; }

    /// <summary>The level last told to the host.</summary>
    public bool AttentionTold { get; set; }

    /// <summary>A service failed while it attended this core: asking again would stop the guest for ever.</summary>
    public bool AttentionFailed { get; set; }

    /// <summary>Effects of calls made by hand, which leave with the next attention exit.</summary>
    public Queue<Effect> Queued { get; } = new();
}

/// <summary>An exit with its committed answer. It lives in its core's slot: a call leaves nothing behind to collect.</summary>
/// <param name="Head">Of the exit.</param>
/// <param name="Call">The hypercall; null for other kinds of exit.</param>
/// <param name="Answer">What was committed.</param>
/// <param name="Commit">Its number.</param>
/// <param name="AttendBeforeResume">The core itself needs attention.</param>
/// <param name="Note">For a person.</param>
internal readonly record struct AnsweredExit(ExitHead Head, Hypercall? Call, Answer Answer, ulong Commit, bool AttendBeforeResume, string? Note);

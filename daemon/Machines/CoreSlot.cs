using System.Collections.Immutable;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>What the daemon keeps of one core for one host, changed in the machine's turn. The vCPU's stream holds it: a host that takes over gets others, and the streams of the one before end.</summary>
internal sealed class CoreSlot(int number, Core core)
{
    /// <summary>Effects of calls made by hand that may wait for one core.</summary>
    public const int MostQueued = 16;

    /// <summary>The last exit answered, for repeats and for what became of it: only while <see cref="HasLast"/>.</summary>
    public AnsweredExit Last;

    /// <summary>Its call, where it was one.</summary>
    public Hypercall LastCall;

    private CancellationTokenSource? _stream;

    /// <summary>As a host that takes over finds it.</summary>
    public CoreSlot(int number, Core core, CoreSlot before)
        : this(number, core)
    {
        (HasLast, Last, LastCall) = (before.HasLast, before.Last, before.LastCall);
        (Newest, GivenUp, Work) = (before.Newest, before.GivenUp, before.Work);
        LosesContext = before.LosesContext && core.Power is CorePower.On or CorePower.Suspended;
        foreach (var effect in before.Queued)
        {
            Queued.Enqueue(effect);
        }
    }

    public int Number { get; } = number;

    public Mpidr Mpidr { get; } = core.Mpidr;

    public CorePower Power { get; set; } = core.Power;

    /// <summary>It sleeps, or has woken and nobody has said so yet, and goes on at an entry point, without the context that it had.</summary>
    public bool LosesContext { get; set; }

    /// <summary>The fate of the last exit answered is not known yet.</summary>
    public bool HasLast { get; set; }

    /// <summary>The long function that it waits for, or that nobody waits for any longer and that has not ended; null where there is none.</summary>
    public RunningWork? Work { get; set; }

    /// <summary>The highest exit_id of this boot that was looked at: none before it is served any more.</summary>
    public ulong Newest { get; set; }

    /// <summary>The highest exit_id of this boot that the host gave up: it is not served any more, and counted as a fallback.</summary>
    public ulong GivenUp { get; set; }

    /// <summary>The level last told to the host.</summary>
    public bool AttentionTold { get; set; }

    /// <summary>Services that failed while they attended this core: asking them again would stop the guest for ever. They come back with the next boot.</summary>
    public ImmutableHashSet<Service>? Inattentive { get; private set; }

    /// <summary>Effects of calls made by hand, which leave with the next attention exit.</summary>
    public Queue<Effect> Queued { get; } = new();

    /// <summary>A stream of this vCPU begins, and the one before it ends: one exit is in flight at a time.</summary>
    /// <returns>Cancelled when the next one begins; to be given back with <see cref="EndStream"/>.</returns>
    public CancellationTokenSource BeginStream(CancellationToken cancelled)
    {
        var stream = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        _ = Interlocked.Exchange(ref _stream, stream)?.CancelAsync();
        return stream;
    }

    public void EndStream(CancellationTokenSource stream)
    {
        // One that was replaced is about to be cancelled by somebody else.
        if (Interlocked.CompareExchange(ref _stream, null, stream) == stream)
        {
            stream.Dispose();
        }
    }

    public void NoLongerAsks(Service service) => Inattentive = (Inattentive ?? []).Add(service);

    /// <summary>A boot begins: nothing of the one before is owed.</summary>
    public void Forget()
    {
        Power = Power == CorePower.Unavailable ? CorePower.Unavailable : CorePower.Off;
        (HasLast, Newest, GivenUp, Inattentive, LosesContext) = (false, 0, 0, null, false);
        Queued.Clear();
    }
}

/// <summary>An exit with its committed answer. It lives in its core's slot: a call leaves nothing behind to collect.</summary>
/// <param name="Head">Of the exit.</param>
/// <param name="Answer">What was committed.</param>
/// <param name="Commit">Its number.</param>
/// <param name="AttendBeforeResume">The core itself needs attention.</param>
/// <param name="Note">For a person.</param>
internal readonly record struct AnsweredExit(ExitHead Head, Answer Answer, ulong Commit, bool AttendBeforeResume, string? Note)
{
    /// <summary>It is a hypercall: <see cref="CoreSlot.LastCall"/>.</summary>
    public bool IsCall { get; init; }

    /// <summary>Nothing of it is committed: the host may send it again.</summary>
    public bool IsNotServed { get; init; }

    /// <summary>What the function lacks or does before it answers; null where this is an answer.</summary>
    public UnfinishedCall? Unfinished { get; init; }

    /// <summary>The attention exit and who answered it; null for other kinds of exit, and where nobody wanted the core.</summary>
    public (Service Service, AttentionExit Exit)? Attended { get; init; }

    /// <summary>The effect of a call made by hand, which left with this attention exit.</summary>
    public Effect? ByHand { get; init; }
}

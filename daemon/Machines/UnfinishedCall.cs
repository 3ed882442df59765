using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>A call that its function has not answered yet: nothing of it is committed, and the machine serves others meanwhile.</summary>
/// <param name="Call">With all that was supplied.</param>
/// <param name="Served">What the function lacks, or does outside the machine's turn.</param>
/// <param name="Received">When the exit came, by the clock's timestamp: its deadline runs from then.</param>
internal sealed record UnfinishedCall(Hypercall Call, Served Served, long Received);

/// <summary>How a call goes on that was not answered at once.</summary>
internal abstract record Continuation
{
    private Continuation()
    {
    }

    /// <summary>The function's work is done.</summary>
    public sealed record Finished(FinishedWork Work) : Continuation;

    /// <summary>What it asked for cannot be had.</summary>
    public sealed record Lacks(UnfinishedCall Call, string Why) : Continuation;
}

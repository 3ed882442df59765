namespace Hypercalls.Sdk;

/// <summary>
/// What a long function does without holding up other cores: it runs outside the machine's turn, on a thread of its own, and sees no state. It must not outlive the daemon's deadline
/// (a second by default): past it nothing is committed, and the guest gets its fallback.
/// </summary>
/// <typeparam name="TState">The service's state.</typeparam>
/// <param name="cancelled">Cancelled when nobody waits for it any longer.</param>
/// <returns>What to do with the result.</returns>
public delegate Finish<TState> Work<TState>(CancellationToken cancelled)
    where TState : class;

/// <summary>The end of a long function: back in the machine's turn, on the state of then, which other calls may have changed meanwhile.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
/// <param name="state">The state it finds.</param>
/// <returns>An answer, or a new state and an answer.</returns>
public delegate Outcome<TState> Finish<TState>(TState state)
    where TState : class;

/// <summary>A long function of one call, begun and not yet finished.</summary>
public abstract class LongWork
{
    private protected LongWork()
    {
    }

    internal abstract FinishedWork Run(CancellationToken cancelled);
}

/// <summary>A long function whose result waits to be committed, or the exception that it ended with.</summary>
public abstract class FinishedWork
{
    private protected FinishedWork()
    {
    }

    internal abstract Rendered Finish(object state);
}

internal sealed class LongWork<TState>(Work<TState> work) : LongWork
    where TState : class
{
    internal override FinishedWork Run(CancellationToken cancelled)
    {
        try
        {
            return new Finished(work(cancelled) ?? throw new InvalidOperationException("The long function returned nothing to finish with."), null);
        }
        catch (Exception e)
        {
            return new Finished(null, e);
        }
    }

    private sealed class Finished(Finish<TState>? finish, Exception? fault) : FinishedWork
    {
        internal override Rendered Finish(object state)
        {
            if (fault is not null)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(fault);
            }

            var outcome = finish!((TState)state);
            return outcome.More is null
                ? new(outcome.State, outcome.Answer, null)
                : throw new InvalidOperationException("The end of a long function is an answer: it asks the host for nothing, and begins nothing.");
        }
    }
}

/// <summary>What a service's code gave back, its state without a type.</summary>
/// <param name="State">The new state; null where it stays as it was.</param>
/// <param name="Answer">The answer.</param>
/// <param name="More">A <see cref="Need"/> or a <see cref="LongWork"/> in place of an answer.</param>
internal readonly record struct Rendered(object? State, Answer Answer, object? More);

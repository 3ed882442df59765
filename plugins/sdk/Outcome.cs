namespace Hypercalls.Sdk;

/// <summary>What a function returns: an answer alone, where the state stays as it was, or the new state and the answer.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
public readonly struct Outcome<TState>
    where TState : class
{
    private Outcome(TState? state, Answer answer)
    {
        State = state;
        Answer = answer;
    }

    /// <summary>The new state; null where it stays as it was.</summary>
    public TState? State { get; }

    /// <summary>The answer.</summary>
    public Answer Answer { get; }

    /// <summary>The state stays as it was.</summary>
    /// <param name="answer">The answer.</param>
    public static implicit operator Outcome<TState>(Answer answer) => new(null, answer);

    /// <summary>The state changes with the answer, both or neither.</summary>
    /// <param name="served">The new state and the answer.</param>
    public static implicit operator Outcome<TState>((TState State, Answer Answer) served) => new(served.State, served.Answer);
}

namespace Hypercalls.Sdk;

/// <summary>
/// What a function returns: an answer alone, where the state stays as it was; the new state and the answer; or, in place of an answer, what it needs of the host
/// (<see cref="Need"/>) or work that holds up no other core (<see cref="Work{TState}"/>).
/// </summary>
/// <typeparam name="TState">The service's state.</typeparam>
public readonly struct Outcome<TState>
    where TState : class
{
    private Outcome(TState? state, Answer answer, object? more = null)
    {
        State = state;
        Answer = answer;
        More = more;
    }

    /// <summary>The new state; null where it stays as it was.</summary>
    public TState? State { get; }

    /// <summary>The answer.</summary>
    public Answer Answer { get; }

    /// <summary>What is asked of the host; null where the function has answered.</summary>
    public Need? Need => More as Need;

    /// <summary>Whether the function goes on outside the machine's turn.</summary>
    public bool IsLong => More is LongWork;

    internal object? More { get; }

    /// <summary>The state stays as it was.</summary>
    /// <param name="answer">The answer.</param>
    public static implicit operator Outcome<TState>(Answer answer) => new(null, answer);

    /// <summary>The state changes with the answer, both or neither.</summary>
    /// <param name="served">The new state and the answer.</param>
    public static implicit operator Outcome<TState>((TState State, Answer Answer) served) => new(served.State, served.Answer);

    /// <summary>The function is called again once the host has supplied it.</summary>
    /// <param name="need">What it lacks.</param>
    public static implicit operator Outcome<TState>(Need need) => new(null, default, need ?? throw new ArgumentNullException(nameof(need)));

    /// <summary>The function goes on outside the machine's turn.</summary>
    /// <param name="work">What it does there.</param>
    public static implicit operator Outcome<TState>(Work<TState> work) => new(null, default, new LongWork<TState>(work ?? throw new ArgumentNullException(nameof(work))));
}

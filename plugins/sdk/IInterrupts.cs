namespace Hypercalls.Sdk;

/// <summary>For services that take interrupts from the guest (<see cref="Effect.TakeInterrupt"/>).</summary>
/// <typeparam name="TState">The service's state.</typeparam>
public interface IInterrupts<TState>
    where TState : class
{
    /// <summary>Whether this service has taken an interrupt and not returned it. One that fires and that no service has is returned to the guest.</summary>
    /// <param name="state">The state.</param>
    /// <param name="intid">The interrupt: 16 to 1019.</param>
    /// <returns>At most one service says so.</returns>
    bool Holds(TState state, uint intid);

    /// <summary>
    /// A taken interrupt fired. It is active, and fires no more, until an answer of this service says so in <see cref="Answer.EndedInterrupts"/>; where a host
    /// was not sure to be heard it may tell of the same trigger again. The core is stopped; <see cref="IAttention{TState}"/> is asked next, in the same step.
    /// </summary>
    /// <param name="state">The state.</param>
    /// <param name="core">The core that it stopped; the core it belongs to where it is one of 16 to 31.</param>
    /// <param name="intid">The interrupt.</param>
    /// <returns>The state to go on with.</returns>
    TState Fired(TState state, Mpidr core, uint intid);
}

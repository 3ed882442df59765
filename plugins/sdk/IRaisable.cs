namespace Hypercalls.Sdk;

/// <summary>For services that take events from outside the guest.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
public interface IRaisable<TState>
    where TState : class
{
    /// <summary>An operator raises an event.</summary>
    /// <param name="state">The state.</param>
    /// <param name="raised">Which event, and where.</param>
    /// <returns>What becomes of it.</returns>
    Raised<TState> Raise(TState state, in RaisedEvent raised);
}

/// <summary>An event from outside the guest.</summary>
/// <param name="Event">As the operator gave it.</param>
/// <param name="Core">A core of the machine; null where none was named.</param>
/// <param name="Machine">The machine.</param>
/// <param name="Now">When it came. The only clock a service may read: replay gives the same.</param>
public readonly record struct RaisedEvent(ulong Event, Mpidr? Core, MachineDescription Machine, DateTimeOffset Now);

/// <summary>What became of an event from outside.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
/// <param name="State">The state to go on with.</param>
/// <param name="Result">In one word.</param>
/// <param name="Text">For the operator: where it goes, or why not now, or why not at all and what to do about it.</param>
public readonly record struct Raised<TState>(TState State, RaiseResult Result, string Text)
    where TState : class;

/// <summary>What became of an event from outside, in one word.</summary>
public enum RaiseResult : byte
{
    /// <summary>On its way to the guest.</summary>
    Delivered = 1,

    /// <summary>Kept until the guest lets it in.</summary>
    Pending = 2,

    /// <summary>Nothing was changed.</summary>
    Refused = 3,
}

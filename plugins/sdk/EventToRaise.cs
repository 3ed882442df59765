namespace Hypercalls.Sdk;

/// <summary>
/// An event that a function raises at another service, such as SDEI, in the same commit as its answer. Where the host does not apply that answer, the event stays raised: the service is told
/// (<see cref="INotApplied{TState}"/>) and knows what it has done.
/// </summary>
/// <param name="Event">Its number, in the other service's sense.</param>
/// <param name="Core">Where it is to go; null where the other service decides.</param>
/// <param name="Service">The other service's name; null for the only other one that takes events.</param>
/// <param name="IfRefused">x0 of the caller where the other service refuses: nothing of the call is committed then. Null: the answer stands, and the operator reads of it.</param>
public readonly record struct EventToRaise(ulong Event, Mpidr? Core = null, string? Service = null, long? IfRefused = null)
{
    /// <summary>raise 0x40000001 at core 0.0.0.1.</summary>
    /// <returns>Event and core.</returns>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"raise 0x{Event:x}{(Core is { } core ? $" at core {core}" : "")}");
}

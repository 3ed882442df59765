using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>One event of one PE, or one shared event: its handler and its trigger (DEN0054, Event handler).</summary>
/// <param name="State">Of the handler.</param>
/// <param name="EntryPoint">An address, or where relative an offset from VBAR.</param>
/// <param name="Argument">Delivered in x1.</param>
/// <param name="IsRelative">The entry point is added to VBAR when the handler is entered.</param>
/// <param name="Routing">Of a shared event.</param>
/// <param name="Affinity">Of a shared event that is routed to one PE.</param>
/// <param name="Trigger">The place in the order of triggers of the one that waits; 0 where none does.</param>
public readonly record struct EventRecord(
    HandlerState State, ulong EntryPoint, ulong Argument, bool IsRelative, RoutingMode Routing, Mpidr Affinity, ulong Trigger)
{
    /// <summary>What is left of it once its handler is unregistered: a trigger, if it is kept.</summary>
    /// <returns>No entry point, no argument.</returns>
    public EventRecord Forgotten() => new() { Trigger = Trigger };

    /// <summary>After a step of the grid.</summary>
    /// <param name="next">The next state.</param>
    /// <returns>Without entry point and argument where nobody will need them again.</returns>
    internal EventRecord In(HandlerState next) => next == HandlerState.Unregistered ? Forgotten() : this with { State = next };
}

using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>A handler that runs on a PE, and what it interrupted (DEN0054, Event context).</summary>
/// <param name="Event">Whose handler.</param>
/// <param name="X">The interrupted x0 to x17.</param>
/// <param name="Pc">Where the interrupted code goes on.</param>
/// <param name="Pstate">Its processor state.</param>
/// <param name="Trigger">The place in the order of triggers of the one that is handled.</param>
public sealed record HandlerFrame(EventReference Event, ValueArray<ulong> X, ulong Pc, Pstate Pstate, ulong Trigger);

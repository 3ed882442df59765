namespace Hypercalls.Sdei;

/// <summary>An event by its place among those of its type; a private one is each PE's own.</summary>
/// <param name="Type">Private or shared.</param>
/// <param name="Index">From 0: event 0 where it is private, then the static events, then the slots.</param>
public readonly record struct EventReference(EventType Type, int Index);

namespace Hypercalls.Client;

/// <summary>By its rules the host has to stop the machine: an exit got no answer, and the guest cannot go on without one.</summary>
/// <param name="report">Which exit and why, for a person.</param>
public sealed class MachineStopsException(string report) : Exception(report);

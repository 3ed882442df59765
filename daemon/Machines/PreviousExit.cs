namespace Hypercalls.Daemon.Machines;

/// <summary>What the host says became of the answer to a vCPU's exit before.</summary>
/// <param name="ExitId">Of that exit.</param>
/// <param name="Applied">False where the guest got the fallback.</param>
/// <param name="LastApplied">The last exit whose answer the guest saw, 0 where none was.</param>
internal readonly record struct PreviousExit(ulong ExitId, bool Applied, ulong LastApplied);

/// <summary>The part that every exit has.</summary>
/// <param name="ExitId">Unique per vCPU and boot.</param>
/// <param name="Boot">The guest's life between resets.</param>
/// <param name="Previous">Null on the first exit of a vCPU in a boot.</param>
internal readonly record struct ExitHead(ulong ExitId, ulong Boot, PreviousExit? Previous);

/// <summary>An exit that the wire's order of things does not allow now.</summary>
internal sealed class OutOfOrderException(string message) : Exception(message);

/// <summary>One more than the daemon takes of something.</summary>
internal sealed class TooManyException(string message) : Exception(message);

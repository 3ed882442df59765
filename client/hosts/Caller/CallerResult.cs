namespace Hypercalls.Hosts.Caller;

/// <summary>What a call that returned has left.</summary>
/// <param name="Number">Its place among the calls, from 0.</param>
/// <param name="Before">x0 to x17 before the call: with the addresses of memory.</param>
/// <param name="X">x0 to x17 after it.</param>
/// <param name="Memory">What lies where the arguments that are memory point to, in their order.</param>
public sealed record CallerResult(int Number, IReadOnlyList<ulong> Before, IReadOnlyList<ulong> X, IReadOnlyList<ReadOnlyMemory<byte>> Memory);

namespace Hypercalls.Bench;

/// <summary>A measurement that cannot be made, with one sentence.</summary>
internal sealed class BenchException(string message) : Exception(message);

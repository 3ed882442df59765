namespace Hypercalls.Daemon.Wire;

/// <summary>A message that breaks the wire's rules: INVALID_ARGUMENT, or RESOURCE_EXHAUSTED for one of its limits.</summary>
internal sealed class BadMessageException(string field, string what, bool isLimit = false) : Exception($"{field}: {what}")
{
    /// <summary>Whether one of the wire's limits was passed.</summary>
    public bool IsLimit { get; } = isLimit;
}

namespace Hypercalls.Tests.Trials;

/// <summary>Events from outside; all others are refused. Noise does not meet those that take time.</summary>
internal static class TrialsEvent
{
    public const ulong Delivered = 1;
    public const ulong Pending = 2;
    public const ulong Throws = 4;
    public const ulong Hangs = 0x4841_4E47;
    public const ulong Slow = 0x534C_4F57;
}

namespace Hypercalls.Trng;

/// <summary>What a machine's entropy source remembers.</summary>
public sealed record TrngState
{
    /// <summary>TRNG_RND calls since the reset that asked for a number of bits that there is.</summary>
    public ulong Requests { get; init; }
}

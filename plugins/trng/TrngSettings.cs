namespace Hypercalls.Trng;

/// <summary>What an entropy source is to its guests.</summary>
public sealed record TrngSettings
{
    /// <summary>Which back end it is (DEN0098, TRNG_GET_UUID). One that begins with ffffffff is refused.</summary>
    public Guid Uuid { get; init; } = new("4c8b1f0a-7d52-4e0e-9a36-2f1bc1e07d53");

    /// <summary>Every how many requests there is no entropy, to see what a guest does then; 0 for never.</summary>
    public uint NoEntropyEvery { get; init; }
}

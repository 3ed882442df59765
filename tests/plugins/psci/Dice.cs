namespace Hypercalls.Tests.Psci;

/// <summary>Random choices from a seed (SplitMix64): equal seeds give equal choices.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _seed = seed;

    public ulong Next()
    {
        var z = _seed += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ z >> 30) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ z >> 27) * 0x94D0_49BB_1331_11EB;
        return z ^ z >> 31;
    }

    /// <summary>From 0 to below a bound.</summary>
    public int Below(int bound) => (int)(Next() % (uint)bound);

    public bool OneIn(int number) => Below(number) == 0;

    public T OneOf<T>(params ReadOnlySpan<T> choices) => choices[Below(choices.Length)];
}

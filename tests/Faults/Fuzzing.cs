using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Faults;

/// <summary>
/// Seeds and time of the tests that draw what they do at random: HYPERCALLS_FUZZ_SEED repeats a run, HYPERCALLS_FUZZ_SECONDS (60) is what all of them take together.
/// </summary>
internal sealed class Fuzzing
{
    /// <summary>They run one after another: each is meant to keep the machine busy.</summary>
    public const string Collection = "fuzz";

    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly TimeSpan _share;

    private Fuzzing(ulong seed, TimeSpan share) => (Seed, _share) = (seed, share);

    public ulong Seed { get; }

    /// <summary>Whether there is time left.</summary>
    public bool GoesOn => Stopwatch.GetElapsedTime(_began) < _share;

    /// <summary>Begins.</summary>
    /// <param name="output">Where the seed is printed.</param>
    /// <param name="percent">Of the time that all fuzzing takes.</param>
    public static Fuzzing Begin(ITestOutputHelper output, int percent)
    {
        var seed = Setting("HYPERCALLS_FUZZ_SEED") is { } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : (ulong)Random.Shared.NextInt64();
        var seconds = double.Parse(Setting("HYPERCALLS_FUZZ_SECONDS") ?? "60", CultureInfo.InvariantCulture);
        output.WriteLine($"Seed {seed}");
        return new(seed, TimeSpan.FromSeconds(seconds * percent / 100));
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name);
}

namespace Hypercalls.Testkit.Sanity;

/// <summary>How a service is judged.</summary>
public sealed record SanityOptions
{
    /// <summary>The fewest random calls.</summary>
    public const int FewestCalls = 100;

    /// <summary>The most random calls.</summary>
    public const int MostCalls = 10_000_000;

    /// <summary>Where the random calls begin: equal seeds give equal calls. By default another one each time.</summary>
    public int Seed { get; init; } = Random.Shared.Next();

    /// <summary>How many random calls there are: <see cref="FewestCalls"/> to <see cref="MostCalls"/>. The default takes a few seconds.</summary>
    public int Calls { get; init; } = 20_000;

    /// <summary>A step that takes longer each time it is repeated is a fault: half of what the daemon gives a service while others wait, by default.</summary>
    public TimeSpan SlowAfter { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The same for a function that works outside the machine's turn: the daemon's deadline, by default.</summary>
    public TimeSpan LongAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A step that has not come back by then never will: the run ends.</summary>
    public TimeSpan HangsAfter { get; init; } = TimeSpan.FromSeconds(5);
}

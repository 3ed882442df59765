namespace Hypercalls.Bench;

/// <summary>One line of the table.</summary>
/// <param name="Row">The measurement it belongs to, as --only names it.</param>
/// <param name="What">In words.</param>
/// <param name="Value">In its unit.</param>
/// <param name="Unit">Of the value, the limit and the aim.</param>
internal sealed record Figure(string Row, string What, double Value, Unit Unit)
{
    /// <summary>What this machine allows, measured in the same run.</summary>
    public Limit? Limit { get; init; }

    /// <summary>What the project aims at.</summary>
    public double? AtMost { get; init; }

    /// <summary>Null where nothing is aimed at.</summary>
    public bool? IsMet => AtMost is { } most ? Value <= most : null;
}

/// <summary>A figure of the same run to compare with.</summary>
/// <param name="Value">In the unit of its figure.</param>
/// <param name="What">In words.</param>
internal sealed record Limit(double Value, string What);

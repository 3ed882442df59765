using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>What a run has found: a verdict for each rule, and the faults.</summary>
/// <param name="Service">The service's name; empty where it could not be made.</param>
/// <param name="Version">Its version.</param>
/// <param name="Seed">Repeats the run.</param>
/// <param name="Calls">How many random calls there were to be.</param>
/// <param name="Rules">Every rule, in the order in which they are judged.</param>
/// <param name="Faults">In the order of their rules; empty for a sane service.</param>
public sealed record SanityReport(string Service, string Version, int Seed, int Calls, ValueArray<RuleVerdict> Rules, ValueArray<SanityFault> Faults)
{
    /// <summary>The report for people: a table of the rules, then the first faults of each with the calls that lead to them.</summary>
    /// <returns>Several lines.</returns>
    public override string ToString() => SanityText.Of(this);

    /// <summary>The report for programs, with every fault.</summary>
    /// <returns>One JSON object.</returns>
    public string ToJson() => SanityText.Json(this);
}

/// <summary>What became of one rule.</summary>
/// <param name="Rule">Its name.</param>
/// <param name="Verdict">In one word.</param>
/// <param name="Detail">What was looked at, or why nothing was.</param>
public sealed record RuleVerdict(string Rule, Verdict Verdict, string Detail);

/// <summary>What became of a rule, in one word.</summary>
public enum Verdict : byte
{
    /// <summary>Nothing speaks against the service.</summary>
    Passed = 1,

    /// <summary>There are faults.</summary>
    Failed = 2,

    /// <summary>An earlier fault stands in the way.</summary>
    NotJudged = 3,
}

/// <summary>A fault of a service.</summary>
/// <param name="Rule">Which rule it breaks.</param>
/// <param name="Sentence">What is wrong.</param>
/// <param name="History">The machine, then the steps that lead there, the shortest that were found; empty where the table alone shows it.</param>
public sealed record SanityFault(string Rule, string Sentence, ValueArray<string> History)
{
    /// <summary>Rule, sentence and history.</summary>
    /// <returns>A line each.</returns>
    public override string ToString() => string.Join('\n', [$"{Rule}: {Sentence}", .. History.Select(line => $"    {line}")]);
}

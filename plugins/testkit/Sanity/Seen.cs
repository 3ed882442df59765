using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>What a step led to.</summary>
/// <param name="What">The step, for people.</param>
/// <param name="Result">What was answered, for people; empty where nothing is.</param>
/// <param name="Answer">The answer of a call or an attention.</param>
/// <param name="Failures">What the service threw.</param>
internal sealed record Seen(string What, string Result, Answer Answer, IReadOnlyList<ServiceFailure> Failures)
{
    /// <summary>The row that served a call.</summary>
    public ServedFunction? Row { get; init; }

    /// <summary>The data that did not fit into an SMC32 answer.</summary>
    public RegisterValue? Cut { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Time { get; init; }

    /// <summary>The function worked outside the machine's turn.</summary>
    public bool WasLong { get; init; }

    /// <summary>The answer is a negative status.</summary>
    public bool IsError => Failures.Count > 0 || (Answer is { Kind: ResultKind.Status } status && (long)status.X0 < 0);

    public string Line => Result.Length > 0 ? $"{What} = {Result}" : What;

    /// <summary>Whether both are the same for guest, host and operator.</summary>
    public bool IsAs(Seen other) => Result == other.Result && Answer == other.Answer && Failures.Select(Text).SequenceEqual(other.Failures.Select(Text));

    private static string Text(ServiceFailure failure) => $"{failure.During} {failure.Exception.GetType()}";
}

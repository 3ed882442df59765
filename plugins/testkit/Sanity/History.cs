using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>What leads to a fault.</summary>
/// <param name="Kind">On which machine.</param>
/// <param name="Steps">The oldest first.</param>
internal sealed record History(MachineKind Kind, ValueArray<Step> Steps)
{
    private const int LinesShown = 12;

    /// <summary>Earlier steps that are not shown.</summary>
    public int Before { get; init; }

    /// <summary>System events are carried out.</summary>
    public bool MayReset { get; init; } = true;

    /// <summary>The steps did not lead to the fault when they were repeated.</summary>
    public bool WasOnce { get; init; }

    /// <summary>The steps as they go when they are played, a line each.</summary>
    public ValueArray<string> Lines(Subject subject)
    {
        var stage = subject.On(this);
        List<string> lines = [.. Steps.Select(step => stage.Play(step)).Where(seen => seen is not null).Select(seen => seen!.Line)];
        var hidden = Before + Math.Max(0, lines.Count - LinesShown);
        return [Kind.ToString(), .. hidden > 0 ? [$"(after {hidden} other steps)"] : Array.Empty<string>(), .. lines.TakeLast(LinesShown), .. WasOnce ? ["(not seen again when it was repeated)"] : Array.Empty<string>()];
    }

    /// <summary>The steps alone, where playing them must not be tried again.</summary>
    public ValueArray<string> Unplayed(Stage stage) =>
        [Kind.ToString(), .. Before > 0 ? [$"(after {Before} other steps)"] : Array.Empty<string>(), .. Steps.Select(stage.Describe)];
}

using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>What steps led to on one machine, with the state after each.</summary>
internal sealed class Recording
{
    private readonly List<(Seen? Seen, string State)> _played = [];

    /// <summary>Steps as they are drawn, played.</summary>
    public static (IReadOnlyList<Step> Steps, Recording Recording) Draw(Subject subject, MachineKind kind, Service service, int seed, int count)
    {
        var (recording, steps, source) = (new Recording(), new List<Step>(), new StepSource(seed, kind, service));
        var stage = subject.On(kind, service);
        for (var i = 0; i < count; i++)
        {
            steps.Add(source.Next());
            recording.Play(stage, steps[^1]);
            source.Saw(steps[^1], recording._played[^1].Seen);
        }

        return (steps, recording);
    }

    /// <summary>Plays steps.</summary>
    public static Recording Of(Stage stage, IEnumerable<Step> steps)
    {
        var recording = new Recording();
        foreach (var step in steps)
        {
            recording.Play(stage, step);
        }

        return recording;
    }

    /// <summary>The first difference; null where there is none.</summary>
    public Difference? From(Recording other)
    {
        for (var i = 0; i < _played.Count; i++)
        {
            var (one, two) = (_played[i], other._played[i]);
            if (one.Seen is null != two.Seen is null || (one.Seen is not null && !one.Seen.IsAs(two.Seen!)))
            {
                return new(i, one.Seen?.What ?? two.Seen!.What, Result(one.Seen), Result(two.Seen));
            }

            if (one.State != two.State)
            {
                var (path, before, after) = JsonDifference.Of(one.State, two.State);
                return new(i, $"{path} after {one.Seen?.What ?? "attaching"}", before, after);
            }
        }

        return null;
    }

    private static string Result(Seen? seen) =>
        seen is null ? "nothing, as no core is wanted"
        : seen.Failures.Count > 0 ? $"{seen.Failures[0].Exception.GetType().Name}"
        : seen.Result.Length > 0 ? seen.Result
        : "nothing";

    private void Play(Stage stage, Step step)
    {
        _played.Add((stage.Play(step), stage.TrySave() ?? "null"));
    }
}

/// <summary>Where two recordings part.</summary>
/// <param name="At">The place of the step.</param>
/// <param name="What">What differs.</param>
/// <param name="One">In the first.</param>
/// <param name="Other">In the second.</param>
internal sealed record Difference(int At, string What, string One, string Other);

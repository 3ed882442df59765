using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>The same calls with the same clock and the same random numbers give the same answers and states, later, on another instance of the service and on the same one in another machine.</summary>
internal static class DeterminismRule
{
    private const int MostSteps = 300;

    /// <summary>Long enough for every clock to move on.</summary>
    private static readonly TimeSpan s_meanwhile = TimeSpan.FromMilliseconds(30);

    public static string Judge(Subject subject)
    {
        var steps = 0;
        foreach (var kind in MachineKind.Rich)
        {
            var service = subject.Make();
            var (drawn, first) = Recording.Draw(subject, kind, service, subject.Options.Seed, Count(subject, kind));
            steps += drawn.Count;
            Pass();
            if (Differs(subject, first, kind, service, drawn) is var (difference, sentence))
            {
                subject.Fault(
                    Rules.Determinism,
                    "",
                    new(kind, [.. drawn.Take(difference.At + 1)]),
                    sentence,
                    history => Again(subject, history));
            }
        }

        return $"{steps} steps, three times";
    }

    /// <summary>How many steps are recorded: the states of many cores are long.</summary>
    public static int Count(Subject subject, MachineKind kind) => Math.Min(subject.Options.Calls / 12, kind.Cores > 2 ? MostSteps / 3 : MostSteps);

    private static string? Again(Subject subject, History history)
    {
        var service = subject.Make();
        var first = Recording.Of(subject.On(history.Kind, service), history.Steps);
        Pass();
        return Differs(subject, first, history.Kind, service, history.Steps)?.Sentence;
    }

    private static (Difference Difference, string Sentence)? Differs(Subject subject, Recording first, MachineKind kind, Service service, IEnumerable<Step> steps)
    {
        if (first.From(Recording.Of(subject.On(kind), steps)) is { } other)
        {
            return (other, $"{Gives(other)} on another instance, called alike: the service has a clock, random numbers or static memory of its own. Take call.Now and call.Random, and remember in the state");
        }

        return first.From(Recording.Of(subject.On(kind, service), steps)) is { } same
            ? (same, $"{Gives(same)} in another machine, called alike: the service remembers beside its state, of which there is one for each machine")
            : null;
    }

    private static string Gives(Difference difference) => $"{difference.What} gives {difference.One} the first time, and {difference.Other}";

    private static void Pass()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(s_meanwhile);
    }
}

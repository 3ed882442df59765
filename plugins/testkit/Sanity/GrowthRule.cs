using System.Globalization;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>The saved state does not grow with the calls for as long as they come.</summary>
internal static class GrowthRule
{
    private const int Samples = 16;
    private const int Least = 32;
    private const int Alone = 256;

    public static string Judge(Subject subject)
    {
        var stage = new Stage(subject, new(2, 1, true), subject.Make()) { MayReset = false };
        var source = new StepSource(subject.Options.Seed, stage.Kind, stage.Service) { MayReset = false };
        var count = subject.Options.Calls / 8;
        List<int> sizes = [Smallest(count / 2), Smallest(count / 2), Smallest(count), Smallest(count * 2)];
        if (GoesOn(count, sizes))
        {
            // What fills up to a bound slows down; what has none does not.
            sizes.AddRange([Smallest(count * 4), Smallest(count * 8)]);
        }

        if (GoesOn(count, sizes))
        {
            var (adding, lines) = Adding(subject, stage.Kind);
            subject.Fault(
                Rules.Growth,
                "",
                string.Create(CultureInfo.InvariantCulture, $"The saved state grows with the calls, and does not stop: {sizes[1]} characters after {count} steps, {sizes[^1]} after {count * 16}.{adding} Bound what is remembered"),
                lines);
        }

        return $"{count} to {count * 4} steps: {sizes[1]} to {sizes[3]} characters of state";

        // The smallest state of the second half of these steps: what comes and goes counts least.
        int Smallest(int steps)
        {
            var smallest = int.MaxValue;
            for (var i = 0; i < steps; i++)
            {
                var step = source.Next();
                source.Saw(step, stage.Play(step));
                if (i >= steps / 2 && (i % Math.Max(1, steps / Samples) == 0 || i == steps - 1))
                {
                    smallest = Math.Min(smallest, Size(stage));
                }
            }

            return smallest;
        }
    }

    private static bool GoesOn(int count, List<int> sizes)
    {
        for (var i = 2; i < sizes.Count; i++)
        {
            var (before, after) = (sizes[i - 1] - sizes[i - 2], sizes[i] - sizes[i - 1]);
            if (before <= Least || after <= Least + count / 16 || (i > 2 && after <= before))
            {
                return false;
            }
        }

        return true;
    }

    private static int Size(Stage stage) => stage.TrySave()?.Length ?? 0;

    /// <summary>The functions that make it grow when they are called alone.</summary>
    private static (string Sentence, ValueArray<string> Lines) Adding(Subject subject, MachineKind kind)
    {
        List<string> names = [];
        List<string> lines = [$"{kind}"];
        foreach (var row in subject.Make().Rows)
        {
            var stage = new Stage(subject, kind, subject.Make()) { MayReset = false };
            var source = new StepSource(subject.Options.Seed, kind, stage.Service);
            List<int> sizes = [];
            for (var i = 0; i <= Alone; i++)
            {
                stage.Play(source.Call(row.Ids[0]) with { Fate = Fate.Applied });
                if (i is Alone / 4 or Alone / 2 or Alone)
                {
                    sizes.Add(Size(stage));
                }
            }

            if (sizes[1] - sizes[0] > Least && sizes[2] - sizes[1] > sizes[1] - sizes[0])
            {
                names.Add($"{row.Name} adds about {Math.Max(1, (sizes[2] - sizes[1]) / (Alone / 2))} a call");
                lines.Add($"{row.Name}, again and again");
            }
        }

        return names.Count == 0 ? ("", []) : ($" {string.Join(", ", names)}.", [.. lines]);
    }
}

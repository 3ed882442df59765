using System.Diagnostics;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Makes a history shorter and plainer while it still leads to its fault.</summary>
internal static class Shortest
{
    private const int StepsKept = 8;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>The shortest that was found in time.</summary>
    /// <param name="history">What led to the fault.</param>
    /// <param name="sentence">What it said then.</param>
    /// <param name="again">Plays a history anew; null where it has no such fault, else the sentence.</param>
    public static (History History, string Sentence) Of(History history, string sentence, Func<History, string?> again)
    {
        var began = Stopwatch.GetTimestamp();
        if (again(history) is not { } said)
        {
            // Not the same twice: determinism tells of that.
            return (history with { Steps = [.. history.Steps.TakeLast(StepsKept)], Before = Math.Max(0, history.Steps.Count - StepsKept), WasOnce = true }, sentence);
        }

        foreach (var candidates in (Func<History, IEnumerable<History>>[])[Fewer, Smaller, Plainer, Smaller, Fewer])
        {
            var progress = true;
            while (progress && Stopwatch.GetElapsedTime(began) < s_patience)
            {
                progress = false;
                foreach (var candidate in candidates(history))
                {
                    if (Stopwatch.GetElapsedTime(began) >= s_patience)
                    {
                        break;
                    }

                    if (again(candidate) is { } still)
                    {
                        (history, said, progress) = (candidate, still, true);
                        break;
                    }
                }
            }
        }

        return (history, said);
    }

    /// <summary>Without some of its steps: the last one alone, then without large parts, then without single ones.</summary>
    private static IEnumerable<History> Fewer(History history)
    {
        if (history.Steps.Count > 1)
        {
            yield return history with { Steps = [history.Steps[^1]] };
        }

        for (var part = history.Steps.Count / 2; part > 0; part /= 2)
        {
            for (var first = 0; first < history.Steps.Count; first += part)
            {
                yield return history with { Steps = [.. history.Steps.Take(first), .. history.Steps.Skip(first + part)] };
            }
        }
    }

    private static IEnumerable<History> Smaller(History history) =>
        MachineKind.All.TakeWhile(kind => kind != history.Kind).Select(kind => history with { Kind = kind });

    /// <summary>With plainer steps, one change at a time.</summary>
    private static IEnumerable<History> Plainer(History history)
    {
        for (var i = 0; i < history.Steps.Count; i++)
        {
            foreach (var step in Plainer(history.Steps[i]))
            {
                yield return history with { Steps = history.Steps.With(i, step) };
            }
        }
    }

    private static IEnumerable<Step> Plainer(Step step) => step switch
    {
        Step.Call call => Plainer(call),
        Step.Raise { Core: not null } raise => [raise with { Core = null }],
        Step.Reset { Kind: ResetKind.Warm } => [new Step.Reset(ResetKind.Cold)],
        Step.Attend { Fate: not Fate.Applied } attend => [attend with { Fate = Fate.Applied }],
        _ => [],
    };

    private static IEnumerable<Step> Plainer(Step.Call call)
    {
        if (call.Fate != Fate.Applied)
        {
            yield return call with { Fate = Fate.Applied };
        }

        if (call.Core != 0)
        {
            yield return call with { Core = 0 };
        }

        if (call.IsAArch32)
        {
            yield return call with { IsAArch32 = false };
        }

        for (var i = 0; i < call.Arguments.Count; i++)
        {
            var argument = call.Arguments[i];
            foreach (var plainer in (ulong[])[0, 1, argument & 0xFF, argument & 0xFFFF, (uint)argument])
            {
                if (plainer < argument)
                {
                    yield return call with { Arguments = call.Arguments.With(i, plainer) };
                }
            }
        }
    }
}

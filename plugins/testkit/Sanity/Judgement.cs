using System.Runtime.ExceptionServices;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>One run: rule by rule on a thread of its own, while this one looks whether it goes on.</summary>
internal sealed class Judgement(Func<Service> make, SanityOptions options)
{
    private const int LastSteps = 8;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    // Each rule, the one that must hold before it can be judged, and its code, which says what was looked at.
    private static readonly IReadOnlyList<(string Name, string? Needs, Func<Subject, string> Judge)> s_rules =
    [
        (Rules.Table,       null,              TableRule.Judge),
        (Rules.Answers,     Rules.Table,       AnswersRule.Judge),
        (Rules.Undefined,   Rules.Table,       UndefinedRule.Judge),
        (Rules.RandomCalls, Rules.Table,       RandomCallsRule.Judge),
        (Rules.Widths,      Rules.Table,       WidthsRule.Judge),
        (Rules.Families,    Rules.Table,       FamiliesRule.Judge),
        (Rules.Queries,     Rules.Table,       QueriesRule.Judge),
        (Rules.Determinism, Rules.Table,       DeterminismRule.Judge),
        (Rules.UpperHalves, Rules.Determinism, UpperHalvesRule.Judge),
        (Rules.Restore,     Rules.Determinism, RestoreRule.Judge),
        (Rules.Growth,      Rules.Table,       GrowthRule.Judge),
        (Rules.Deadline,    Rules.Table,       DeadlineRule.Judge),
    ];

    private readonly Subject _subject = new(make, options);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _details = [];
    private readonly Dictionary<string, string> _obstacles = [];
    private Service? _sample;
    private Exception? _exception;

    /// <summary>Judges.</summary>
    public SanityReport Report()
    {
        var thread = new Thread(Run) { IsBackground = true, Name = "sanity" };
        thread.Start();
        while (!thread.Join(s_look))
        {
            if (_subject.Watch.TryLeave(options.HangsAfter, out var stage, out var during))
            {
                Hangs(stage, during);
                break;
            }
        }

        if (_exception is not null)
        {
            ExceptionDispatchInfo.Throw(_exception);
        }

        lock (_lock)
        {
            var faults = _subject.Faults;
            return new(
                _sample?.Name ?? "",
                _sample?.Version ?? "",
                options.Seed,
                options.Calls,
                [.. s_rules.Select(rule => Verdict(rule.Name, faults))],
                [.. s_rules.SelectMany(rule => faults.Where(fault => fault.Rule == rule.Name))]);
        }
    }

    private RuleVerdict Verdict(string rule, IReadOnlyList<SanityFault> faults)
    {
        var count = faults.Count(fault => fault.Rule == rule);
        return count > 0 ? new(rule, Sanity.Verdict.Failed, $"{count} fault{(count == 1 ? "" : "s")}{(_details.TryGetValue(rule, out var looked) ? $" in {looked}" : "")}")
            : _details.TryGetValue(rule, out var detail) ? new(rule, Sanity.Verdict.Passed, detail)
            : new(rule, Sanity.Verdict.NotJudged, _obstacles.GetValueOrDefault(rule, "a step did not come back"));
    }

    private void Run()
    {
        try
        {
            foreach (var (name, needs, judge) in s_rules)
            {
                if (needs is not null && (_subject.HasFaults(needs) || _obstacles.ContainsKey(needs)))
                {
                    lock (_lock)
                    {
                        _obstacles[name] = $"needs {needs}";
                    }

                    continue;
                }

                var detail = judge(_subject);
                _subject.Confirm();
                lock (_lock)
                {
                    _details[name] = detail;
                }

                _sample ??= _subject.HasFaults(Rules.Table) ? null : _subject.Make();
            }
        }
        catch (AbandonedException)
        {
            // Nobody waits for this thread any longer.
        }
        catch (Exception e)
        {
            _exception = e;
        }
    }

    /// <summary>The fault of a step that does not come back, alone or after those before it.</summary>
    private void Hangs(Stage? stage, string during)
    {
        var (service, entered) = stage?.Entered ?? default;
        var what = service is null ? during : entered;
        ValueArray<string> lines = [];
        if (stage is { Played: { Count: > 0 } played })
        {
            var steps = played.ToArray();
            var history = new History(stage.Kind, [steps[^1]]);
            lines = (HangsAlone(history) ? history : history with { Steps = [.. steps.TakeLast(LastSteps)], Before = Math.Max(0, steps.Length - LastSteps) }).Unplayed(stage);
        }

        _subject.Fault(
            Rules.Deadline,
            what,
            $"{what} did not come back within {options.HangsAfter.TotalSeconds:0.###} s: a machine goes on without the service after half a second",
            lines);
    }

    private bool HangsAlone(History history)
    {
        var again = new Subject(make, options);
        var thread = new Thread(() => Play(again, history)) { IsBackground = true, Name = "sanity again" };
        thread.Start();
        while (!thread.Join(s_look))
        {
            if (again.Watch.TryLeave(options.HangsAfter, out _, out _))
            {
                return true;
            }
        }

        return false;
    }

    private static void Play(Subject subject, History history)
    {
        try
        {
            subject.Quietly(() => subject.On(history.Kind).Play(history.Steps[0]));
        }
        catch (AbandonedException)
        {
            // It hangs alone, which is known by now.
        }
    }
}

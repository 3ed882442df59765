using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>The service that is judged: makes instances of it, and keeps what is seen of them.</summary>
internal sealed class Subject(Func<Service> make, SanityOptions options)
{
    private const int MostFaults = 16;
    private const int Repeats = 2;

    private readonly Lock _lock = new();
    private readonly List<SanityFault> _faults = [];
    private readonly HashSet<(string Rule, string Key)> _known = [];
    private readonly List<Suspicion> _suspicions = [];
    private readonly HashSet<FunctionId> _excluded = [];
    private bool _isQuiet;

    public SanityOptions Options => options;

    public Watch Watch { get; } = new();

    /// <summary>Which rule is judged now: what services throw is its fault.</summary>
    public string ThrowsAgainst { get; set; } = Rules.RandomCalls;

    /// <summary>Calls of each row, how many of them were answered by NOT_SUPPORTED, and how many by no error.</summary>
    public Dictionary<string, (int Calls, int NotSupported, int Done)> Calls { get; } = [];

    public IReadOnlyList<SanityFault> Faults
    {
        get
        {
            lock (_lock)
            {
                return [.. _faults];
            }
        }
    }

    public Service Make()
    {
        Service? service = null;
        Watch.Over(null, "its constructor", () => service = make());
        return service!;
    }

    public Stage On(MachineKind kind, Service? service = null) => new(this, kind, service ?? Make());

    public Stage On(History history) => new(this, history.Kind, Make()) { MayReset = history.MayReset };

    /// <summary>Functions that take so long that nothing else could be looked at.</summary>
    public bool IsExcluded(Step step) => step is Step.Call call && _excluded.Contains(call.Id);

    public bool HasFaults(string rule) => Faults.Any(fault => fault.Rule == rule);

    /// <summary>Keeps a fault, of each key of a rule the first.</summary>
    public void Fault(string rule, string key, string sentence, ValueArray<string> history = default)
    {
        lock (_lock)
        {
            if (_known.Add((rule, key)) && _faults.Count(fault => fault.Rule == rule) < MostFaults)
            {
                _faults.Add(new(rule, Printable(sentence), [.. history.Select(Printable)]));
            }
        }
    }

    /// <summary>Finds the shortest way to a fault, and keeps it.</summary>
    public void Fault(string rule, string key, History history, string sentence, Func<History, string?> again) => Quietly(() =>
    {
        if (!_known.Contains((rule, key)))
        {
            var (shortest, said) = Shortest.Of(history, sentence, again);
            Fault(rule, key, said, shortest.Lines(this));
        }
    });

    /// <summary>Keeps the faults that were seen by the way.</summary>
    public void Confirm()
    {
        foreach (var suspicion in _suspicions)
        {
            Fault(suspicion.Rule, suspicion.Key, suspicion.History, suspicion.Sentence, history => Again(history, suspicion.Of));
        }

        _suspicions.Clear();
    }

    /// <summary>Plays without looking by the way.</summary>
    public void Quietly(Action play)
    {
        var was = _isQuiet;
        _isQuiet = true;
        play();
        _isQuiet = was;
    }

    public void Attached(Stage stage)
    {
        if (!_isQuiet && Thrown("attach", stage, null) is { } sentence)
        {
            Suspect(ThrowsAgainst, "attach", stage, sentence, (at, seen) => Thrown("attach", at, seen));
        }
    }

    public void Noted(Stage stage, Step step, Seen seen)
    {
        if (_isQuiet)
        {
            return;
        }

        if (seen.Row is { } row)
        {
            var (calls, notSupported, done) = Calls.GetValueOrDefault(row.Name);
            Calls[row.Name] = (calls + 1, notSupported + (seen.Answer == Answer.NotSupported ? 1 : 0), done + (seen.IsError ? 0 : 1));
            if (seen.Cut is not null)
            {
                Suspect(Rules.Widths, row.Name, stage, CutOf(row.Name, seen)!, (_, again) => CutOf(row.Name, again));
            }
        }

        foreach (var failure in seen.Failures)
        {
            Suspect(ThrowsAgainst, failure.During, stage, failure.ToString(), (at, again) => Thrown(failure.During, at, again));
        }

        if (seen.Time > (seen.WasLong ? options.LongAfter : options.SlowAfter))
        {
            Quietly(() => Slow(stage, step, seen));
        }
    }

    private static string? CutOf(string row, Seen? seen) => seen is { Row: { } served, Cut: { } cut } && served.Name == row
        ? $"{row} answers x{cut.Index} = 0x{cut.Value:x} to an SMC32 call: the guest gets the low 32 bits alone. Answer what fits, or a status"
        : null;

    private static string? Thrown(string during, Stage stage, Seen? seen) =>
        (seen is null ? stage.AttachFailures : seen.Failures).FirstOrDefault(failure => failure.During == during)?.ToString();

    private static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(letter => char.IsControl(letter) ? '\uFFFD' : letter)) : text;

    private void Suspect(string rule, string key, Stage stage, string sentence, Func<Stage, Seen?, string?> of)
    {
        // What a function throws when it is called alone need not be told of it again.
        if (!_known.Contains((rule, key)) && !_known.Contains((Rules.Answers, key)) && !_suspicions.Any(other => other.Key == key && other.Rule == rule))
        {
            _suspicions.Add(new(rule, key, new(stage.Kind, [.. stage.Played]) { MayReset = stage.MayReset }, sentence, of));
        }
    }

    private string? Again(History history, Func<Stage, Seen?, string?> of)
    {
        var stage = On(history);
        if (of(stage, null) is { } attached)
        {
            return attached;
        }

        foreach (var step in history.Steps)
        {
            if (stage.Play(step) is { } seen && of(stage, seen) is { } sentence)
            {
                return sentence;
            }
        }

        return null;
    }

    /// <summary>A machine under load stops anybody: slow is what is slow each time.</summary>
    private void Slow(Stage stage, Step step, Seen seen)
    {
        var limit = seen.WasLong ? options.LongAfter : options.SlowAfter;
        var during = seen.Row?.Name ?? seen.What;
        History whole = new(stage.Kind, [.. stage.Played]) { MayReset = stage.MayReset };
        History alone = new(stage.Kind, [step]);
        if ((IsSlow(alone, limit) ? alone : IsSlow(whole, limit) ? whole with { Steps = [.. whole.Steps.TakeLast(8)], Before = Math.Max(0, whole.Steps.Count - 8) } : null) is not { } history)
        {
            return;
        }

        if (step is Step.Call call)
        {
            _excluded.Add(call.Id);
        }

        Fault(
            Rules.Deadline,
            during,
            $"{during} takes longer than {limit.TotalMilliseconds} ms{(seen.WasLong ? ", with its work outside the machine's turn: past the daemon's deadline the guest has its fallback" : ": a service that holds the machine's turn for half a second is left behind, and long work belongs into Work")}",
            history.Unplayed(stage));
    }

    private bool IsSlow(History history, TimeSpan limit)
    {
        for (var n = 0; n < Repeats; n++)
        {
            var stage = On(history);
            var time = TimeSpan.Zero;
            foreach (var step in history.Steps)
            {
                time = stage.Play(step)?.Time ?? TimeSpan.Zero;
            }

            if (time <= limit)
            {
                return false;
            }
        }

        return true;
    }

    private sealed record Suspicion(string Rule, string Key, History History, string Sentence, Func<Stage, Seen?, string?> Of);
}

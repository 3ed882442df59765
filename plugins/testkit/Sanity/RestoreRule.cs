namespace Hypercalls.Testkit.Sanity;

/// <summary>A state that was saved and restored is the same: each member, each answer after it, each state.</summary>
internal static class RestoreRule
{
    public static string Judge(Subject subject)
    {
        var steps = 0;
        foreach (var kind in MachineKind.Rich)
        {
            var (drawn, _) = Recording.Draw(subject, kind, subject.Make(), subject.Options.Seed, DeterminismRule.Count(subject, kind));
            steps += drawn.Count;
            if (Fault(subject, new(kind, [.. drawn])) is var (at, sentence))
            {
                subject.Fault(
                    Rules.Restore,
                    "",
                    new(kind, [.. drawn.Take(at)]),
                    sentence,
                    history => Fault(subject, history)?.Sentence);
            }
        }

        return $"{steps} steps, and a restored state before each";
    }

    private static (int At, string Sentence)? Fault(Subject subject, History history)
    {
        var plain = subject.On(history.Kind);
        var restored = subject.On(history.Kind);
        for (var i = 0; i <= history.Steps.Count; i++)
        {
            if (Restore(restored) is { } lost)
            {
                return (i, lost);
            }

            if (i == history.Steps.Count)
            {
                break;
            }

            var step = history.Steps[i];
            if (Recording.Of(plain, [step]).From(Recording.Of(restored, [step])) is { } difference)
            {
                return (i + 1, $"{difference.What} gives {difference.One}, and {difference.Other} where the state was saved and restored before");
            }
        }

        return null;
    }

    private static string? Restore(Stage stage)
    {
        string saved;
        try
        {
            saved = stage.Save();
        }
        catch (Exception e) when (e is not AbandonedException)
        {
            return $"The state cannot be saved: {e.Message.TrimEnd('.')}";
        }

        var before = stage.Machine.States[0];
        try
        {
            stage.Restore(saved);
        }
        catch (Exception e) when (e is not AbandonedException)
        {
            return $"The state cannot be restored: {e.Message.TrimEnd('.')}";
        }

        if (MemberDifference.Of(before, stage.Machine.States[0]) is var (member, was, now))
        {
            return $"{member} is {was} before the state is saved and restored, and {now} after: give it a public property with get and init, of a type that goes into JSON and back";
        }

        return stage.Save() == saved ? null : "The state that was restored is saved as another";
    }
}

namespace Hypercalls.Testkit.Sanity;

/// <summary>What stands in bits 63:32 of w0, and of the arguments of SMC32 calls, changes nothing (DEN0028, Register use).</summary>
internal static class UpperHalvesRule
{
    private const uint Noise = 0xDEAD_BEEF;

    public static string Judge(Subject subject)
    {
        var steps = 0;
        foreach (var kind in MachineKind.Rich)
        {
            var (drawn, first) = Recording.Draw(subject, kind, subject.Make(), subject.Options.Seed, DeterminismRule.Count(subject, kind));
            steps += drawn.Count;
            if (Differs(subject, first, kind, drawn) is var (at, sentence))
            {
                subject.Fault(
                    Rules.UpperHalves,
                    "",
                    new(kind, [.. drawn.Take(at + 1)]),
                    sentence,
                    history => Differs(subject, Recording.Of(subject.On(history.Kind), history.Steps), history.Kind, history.Steps)?.Sentence);
            }
        }

        return $"{steps} steps, twice";
    }

    private static (int At, string Sentence)? Differs(Subject subject, Recording first, MachineKind kind, IEnumerable<Step> steps)
    {
        var noisy = Recording.Of(subject.On(kind), steps.Select(step => step is Step.Call call ? call with { UpperHalves = Noise } : step));
        return first.From(noisy) is { } difference
            ? (difference.At, $"{difference.What} gives {difference.One}, and {difference.Other} with 0x{Noise:x} in the upper halves of 32-bit registers: take arguments by call[1], which cuts them, not from call.Registers")
            : null;
    }
}

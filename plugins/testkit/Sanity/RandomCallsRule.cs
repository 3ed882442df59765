namespace Hypercalls.Testkit.Sanity;

/// <summary>Whatever happens in whatever order, with whatever arguments: the service never throws and gives answers that a host can carry out.</summary>
internal static class RandomCallsRule
{
    public static string Judge(Subject subject)
    {
        for (var n = 0; n < MachineKind.All.Count; n++)
        {
            var stage = subject.On(MachineKind.All[n]);
            var source = new StepSource(unchecked(subject.Options.Seed + n), stage.Kind, stage.Service);
            for (var call = 0; call < subject.Options.Calls / MachineKind.All.Count; call++)
            {
                var step = source.Next();
                source.Saw(step, stage.Play(step));
            }
        }

        // What a run has not reached is no fault, and is to be known.
        string[] refused = [.. subject.Calls.Where(calls => calls.Value.Done == 0).Select(calls => calls.Key)];
        return $"{subject.Options.Calls} calls, core reports, resets, fallbacks and events in any order on {MachineKind.All.Count} kinds of machine"
            + (refused.Length == 0 ? "" : $"; never answered but by an error: {string.Join(", ", refused)}");
    }
}

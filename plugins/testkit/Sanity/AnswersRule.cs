using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Every function answers, called with zeros and with noise, on every kind of machine, by every kind of caller.</summary>
internal static class AnswersRule
{
    private const int Noise = 3;

    public static string Judge(Subject subject)
    {
        subject.ThrowsAgainst = Rules.Answers;
        var calls = 0;
        foreach (var kind in MachineKind.All)
        {
            var stage = subject.On(kind);
            var source = new StepSource(subject.Options.Seed, kind, stage.Service);
            foreach (var (id, isAArch32) in Callable(stage.Service))
            {
                Play(new(0, id) { IsAArch32 = isAArch32 });
                for (var n = 0; n < Noise; n++)
                {
                    Play(source.Call(id) with { Core = n % kind.Cores, IsAArch32 = isAArch32, Fate = Fate.Applied });
                }
            }

            foreach (var claim in stage.Service.Claims)
            {
                Play(new(0, default) { Conduit = claim.Conduit, Immediate = claim.Immediate });
            }

            void Play(Step.Call call)
            {
                calls++;
                stage.Play(call);
            }
        }

        subject.Confirm();
        subject.ThrowsAgainst = Rules.RandomCalls;
        return $"{calls} calls on {MachineKind.All.Count} kinds of machine";
    }

    private static IEnumerable<(FunctionId Id, bool IsAArch32)> Callable(Service service) =>
        service.Rows.SelectMany(row => row.Ids).SelectMany(id => id.IsSmc64 ? [(id, false)] : ((FunctionId, bool)[])[(id, false), (id, true)]);
}

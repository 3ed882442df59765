using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Results fit their convention, and SMC64 identifiers are unknown to AArch32 callers (DEN0028, Register use). What is cut was seen by the way.</summary>
internal static class WidthsRule
{
    public static string Judge(Subject subject)
    {
        var stage = subject.On(MachineKind.All[0]);
        FunctionId[] ids = [.. stage.Service.Rows.SelectMany(row => row.Ids)];
        var before = stage.TrySave();
        foreach (var id in ids.Where(id => id.IsSmc64))
        {
            var seen = stage.Play(new Step.Call(0, id) { IsAArch32 = true, Arguments = [1] });
            if (seen is not null && seen.Answer != Answer.NotSupported)
            {
                subject.Fault(Rules.Widths, $"{id}", $"{id} answers {seen.Result} to an AArch32 caller, who knows no SMC64 identifiers");
            }
        }

        if (stage.TrySave() != before)
        {
            subject.Fault(Rules.Widths, "state", "SMC64 calls of an AArch32 caller change the state");
        }

        return $"{ids.Count(id => !id.IsSmc64)} SMC32 and {ids.Count(id => id.IsSmc64)} SMC64 identifiers";
    }
}

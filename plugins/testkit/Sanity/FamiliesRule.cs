using System.Globalization;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Who answers VERSION has every mandatory function, and who has a mandatory function answers VERSION.</summary>
internal static class FamiliesRule
{
    private const string Own = "";

    private static readonly string[] s_features = ["PSCI_FEATURES", "SMCCC_ARCH_FEATURES", "TRNG_FEATURES", "PV_TIME_FEATURES"];

    public static string Judge(Subject subject)
    {
        var service = subject.Make();
        foreach (var unversioned in new ServiceSet([service]).Unversioned)
        {
            subject.Fault(Rules.Families, unversioned.Function.Name, $"{unversioned}: add that row");
        }

        var families = service.Rows.GroupBy(row => FunctionNames.Functions.FirstOrDefault(function => function.Ids.Contains(row.Ids[0]))?.Family ?? Own).ToList();
        foreach (var family in families)
        {
            Look(subject, family.Key, [.. family]);
            Ask(subject, family.Key, [.. family]);
        }

        foreach (var row in service.Rows.Where(row => row.Traits.IsMandatory))
        {
            if (subject.Calls.GetValueOrDefault(row.Name) is { Calls: > 0 } seen && seen.Calls == seen.NotSupported)
            {
                subject.Fault(Rules.Families, row.Name, $"{row.Name} is mandatory, and answers NOT_SUPPORTED to each of its {seen.Calls} calls");
            }
        }

        return families.Count == 0 ? "no functions" : string.Join(", ", families.Select(family => family.Key == Own ? "its own family" : family.Key));
    }

    private static void Look(Subject subject, string family, IReadOnlyList<ServedFunction> rows)
    {
        if (MandatoryFunctions.Of(family) is { Count: > 0 } mandatory)
        {
            var version = VersionOf(subject, mandatory[0].Ids[0]);
            foreach (var function in mandatory)
            {
                var missing = version < function.Since ? [] : function.Ids.Where(id => !rows.Any(row => row.Ids.Contains(id))).ToArray();
                if (missing.Length > 0)
                {
                    subject.Fault(Rules.Families, function.Name, $"{function.Name} ({string.Join(", ", missing)}) is missing: {family}{(function.Since > new Version() ? $" {version}" : "")} demands it of everyone");
                }
            }

            return;
        }

        ServedFunction[] versions = [.. rows.Where(row => row.Traits.IsVersion)];
        if (family == Own && versions.Length == 0 && rows.FirstOrDefault(row => row.Traits.IsMandatory) is { } demanded)
        {
            subject.Fault(Rules.Families, demanded.Name, $"{demanded.Name} is mandatory, but no row is the VERSION function, by which a guest knows that: give that row FunctionTraits.Version");
        }

        if (versions.Length > 1)
        {
            subject.Fault(Rules.Families, "versions", $"{string.Join(" and ", versions.Select(row => row.Name))} both say that they are the VERSION function: leave one");
        }
    }

    /// <summary>What the FEATURES function of a specification says of the others is what the table says.</summary>
    private static void Ask(Subject subject, string family, IReadOnlyList<ServedFunction> rows)
    {
        if (rows.FirstOrDefault(row => s_features.Contains(row.Name)) is not { } features)
        {
            return;
        }

        var stage = subject.On(MachineKind.All[0]);
        foreach (var function in FunctionNames.Functions.Where(function => function.Family == family))
        {
            foreach (var id in function.Ids)
            {
                var isServed = rows.Any(row => row.Ids.Contains(id));
                if (stage.Play(new Step.Call(0, features.Ids[0]) { Arguments = [id.Value] }) is { Failures: [] } seen && isServed != (long)seen.Answer.X0 >= 0)
                {
                    subject.Fault(Rules.Families, $"{features.Name} {id}", $"{features.Name} says {seen.Result} of {function.Name} ({id}), which is {(isServed ? "" : "not ")}in the table");
                }
            }
        }
    }

    /// <summary>What the VERSION function of a specification says: major and minor.</summary>
    private static Version VersionOf(Subject subject, FunctionId id)
    {
        var answer = subject.On(MachineKind.All[0]).Play(new Step.Call(0, id))?.Answer ?? Answer.NotSupported;
        // SDEI says them in the upper half (DEN0054, SDEI_VERSION).
        var value = (uint)(id.IsSmc64 ? answer.X0 >> 32 : answer.X0);
        if ((long)answer.X0 < 0)
        {
            return new();
        }

        return Version.Parse(string.Create(CultureInfo.InvariantCulture, $"{value >> 16 & 0x7FFF}.{value & 0xFFFF}"));
    }
}

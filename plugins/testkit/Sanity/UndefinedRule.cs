using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>What the table does not have gives −1 with x1 to x3 zero, and reserved identifiers are in no table (DEN0028, Unknown function identifier; Function identifiers).</summary>
internal static class UndefinedRule
{
    private const int Around = 16;
    private const int LongestGap = 256;
    private const int FirstReservedOwner = 8;
    private const int LastReservedOwner = 47;
    private const ushort FirstQuery = 0xFF00;

    public static string Judge(Subject subject)
    {
        var stage = subject.On(MachineKind.All[0]);
        foreach (var row in stage.Service.Rows)
        {
            foreach (var id in row.Ids)
            {
                if (Reserved(id) is { } why)
                {
                    subject.Fault(Rules.Undefined, $"{id}", $"{row.Name} ({id}) {why}: choose another identifier");
                }
            }
        }

        FunctionId[] undefined = [.. Undefined(stage)];
        var before = stage.TrySave();
        foreach (var id in undefined)
        {
            var seen = stage.Play(new Step.Call(0, id) { Arguments = [1, 2, 3] });
            if (seen is not null && (seen.Answer != Answer.NotSupported || seen.Failures.Count > 0))
            {
                subject.Fault(Rules.Undefined, $"{id}", $"{id} is not in the table, and answers {seen.Result} where −1 belongs");
            }
        }

        if (stage.TrySave() != before)
        {
            subject.Fault(Rules.Undefined, "state", "Calls of identifiers that are not in the table change the state");
        }

        return $"{undefined.Length} identifiers around those of the table";
    }

    private static string? Reserved(FunctionId id) =>
        !id.IsFast ? (int)id.Owner < 2 ? "is of the calls from before the convention (DEN0028, Function identifiers)" : null
        : (int)id.Owner is >= FirstReservedOwner and <= LastReservedOwner ? $"is of owner {(int)id.Owner}, which is reserved (DEN0028, Function identifiers)"
        : id.IsGeneralQuery && (id.IsSmc64 || id.Number is not (0xFF00 or 0xFF01 or 0xFF03)) ? "is of the general queries, of which there are Call Count, Call UID and Revision alone, SMC32 each (DEN0028, General service queries)"
        : null;

    /// <summary>Gaps between the numbers, those around them, the other width, and reserved bits.</summary>
    private static IEnumerable<FunctionId> Undefined(Stage stage)
    {
        FunctionId[] ids = [.. stage.Service.Rows.SelectMany(row => row.Ids)];
        HashSet<uint> near = [];
        foreach (var id in ids)
        {
            near.Add(id.Value ^ 1u << 30);
            for (var bit = 17; bit < 24; bit++)
            {
                near.Add(id.Value | 1u << bit);
            }
        }

        foreach (var numbers in ids.GroupBy(id => id.Value & 0xFFFF_0000, id => (int)id.Number))
        {
            var (first, last) = (Math.Max(0, numbers.Min() - Around), Math.Min(0xFFFF, numbers.Max() + Around));
            for (var number = first; number <= last; number = number - first == LongestGap && last - number > LongestGap ? last - LongestGap : number + 1)
            {
                near.Add(numbers.Key | (uint)number);
                near.Add((numbers.Key | (uint)number) ^ 1u << 30);
            }

            near.Add(numbers.Key & 0xBFFF_0000 | FirstQuery | 2);
        }

        // General queries are the framework's; another rule looks at them.
        return near.Select(value => new FunctionId(value)).Where(id => !ids.Contains(id.WithoutHint) && (id.HasReservedBits || stage.Machine.Services.Find(id, Conduit.Hvc, 0, false)?.Service is null or { Name: not "GENERAL_QUERIES" }));
    }
}

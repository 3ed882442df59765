using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace Hypercalls.Sdk;

/// <summary>The functions that the Arm specifications and KVM define, by name and by identifier, whether served or not.</summary>
public static class FunctionNames
{
    private static readonly Names All = new(KnownFunctions.Table);

    /// <summary>Every function, family by family.</summary>
    public static IReadOnlyList<NamedFunction> Functions => KnownFunctions.Table;

    /// <summary>The name of a function.</summary>
    /// <param name="id">Its identifier, with or without the SVE hint.</param>
    /// <param name="name">The specification's name, such as CPU_ON.</param>
    /// <returns>False where no specification in the table defines it.</returns>
    public static bool TryGetName(FunctionId id, [NotNullWhen(true)] out string? name)
    {
        // The identifiers of PSCI 0.1 are older than the hint and have its bit set.
        var known = All.ById.TryGetValue(id, out var function) || All.ById.TryGetValue(id.WithoutHint, out function);
        name = function?.Name;
        return known;
    }

    /// <summary>The identifiers of a function.</summary>
    /// <param name="name">CPU_ON or PSCI_CPU_ON, SDEI_PE_MASK or PE_MASK, in any case. A bare name that several families share, such as VERSION, is none.</param>
    /// <param name="ids">One, or the SMC32 and SMC64 twins.</param>
    /// <returns>False where no function, or more than one, has that name.</returns>
    public static bool TryGetId(string name, out ValueArray<FunctionId> ids)
    {
        ArgumentNullException.ThrowIfNull(name);
        var known = All.ByName.TryGetValue(name, out var function);
        ids = function?.Ids ?? default;
        return known;
    }

    /// <summary>Names that a mistyped one may have meant.</summary>
    /// <param name="name">What was typed.</param>
    /// <returns>At most five of the specifications' names, the likeliest first; empty where none is near.</returns>
    public static IReadOnlyList<string> Closest(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var typed = name.ToUpperInvariant();
        if (typed.Length > All.LongestName * 2)
        {
            return [];
        }

        var near = Math.Max(2, typed.Length / 4);
        return
        [
            .. All.Spellings
                .GroupBy(spelling => spelling.Name, spelling => EditDistance.Between(typed, spelling.Spelling))
                .Select(distances => (Name: distances.Key, Distance: distances.Min()))
                .Where(candidate => candidate.Distance <= near)
                .OrderBy(candidate => candidate.Distance)
                .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
                .Select(candidate => candidate.Name)
                .Take(5),
        ];
    }

    private sealed class Names
    {
        public Names(IReadOnlyList<NamedFunction> functions)
        {
            ById = functions.SelectMany(function => function.Ids, KeyValuePair.Create).ToDictionary(pair => pair.Value, pair => pair.Key).ToFrozenDictionary();
            Spellings = [.. functions.SelectMany(function => function.Spellings.Select(spelling => (spelling, function.Name)))];
            LongestName = Spellings.Max(spelling => spelling.Spelling.Length);

            var byName = functions.ToDictionary(function => function.Name, StringComparer.OrdinalIgnoreCase);
            var others = functions
                .SelectMany(function => function.Spellings, (function, spelling) => (spelling, function))
                .GroupBy(entry => entry.spelling, entry => entry.function)
                .Where(entry => entry.Distinct().Count() == 1 && !byName.ContainsKey(entry.Key))
                .ToList();
            others.ForEach(entry => byName.Add(entry.Key, entry.First()));
            ByName = byName.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        }

        public FrozenDictionary<FunctionId, NamedFunction> ById { get; }

        public FrozenDictionary<string, NamedFunction> ByName { get; }

        public IReadOnlyList<(string Spelling, string Name)> Spellings { get; }

        public int LongestName { get; }
    }
}

/// <summary>A function of a specification.</summary>
/// <param name="Ids">One, or the SMC32 and SMC64 twins.</param>
/// <param name="Name">The specification's name, such as CPU_ON.</param>
/// <param name="Family">Who defines it, such as PSCI.</param>
/// <param name="Prefix">What stands, or may stand, before the name: PSCI_.</param>
public sealed record NamedFunction(ValueArray<FunctionId> Ids, string Name, string Family, string Prefix)
{
    /// <summary>The name with and without its prefix.</summary>
    internal IEnumerable<string> Spellings => Name.StartsWith(Prefix, StringComparison.Ordinal)
        ? [Name, Name[Prefix.Length..]]
        : [Name, Prefix + Name];
}

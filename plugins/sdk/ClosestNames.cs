namespace Hypercalls.Sdk;

/// <summary>What a mistyped name may have meant.</summary>
public static class ClosestNames
{
    private const int Longest = 100;

    /// <summary>The names near a mistyped one.</summary>
    /// <param name="typed">What was typed, in any case.</param>
    /// <param name="names">All that there are.</param>
    /// <returns>At most three, the likeliest first; empty where none is near.</returns>
    public static IReadOnlyList<string> To(string typed, IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(typed);
        if (typed.Length > Longest)
        {
            return [];
        }

        var near = Math.Clamp(typed.Length / 3, 1, 4);
        return
        [
            .. names
                .Select(name => (Name: name, Distance: EditDistance.Between(typed.ToUpperInvariant(), name.ToUpperInvariant())))
                .Where(candidate => candidate.Distance <= near)
                .OrderBy(candidate => candidate.Distance)
                .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
                .Select(candidate => candidate.Name)
                .Take(3),
        ];
    }
}

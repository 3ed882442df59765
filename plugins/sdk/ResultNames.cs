using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Hypercalls.Sdk;

/// <summary>Status codes by the specification's spelling: OnPending is ON_PENDING.</summary>
internal static class ResultNames
{
    // Weak: an enum of a plugin must not keep its load context alive.
    private static readonly ConditionalWeakTable<Type, ConcurrentDictionary<long, string>> Names = [];

    public static string Of(Type? statuses, in Answer answer)
    {
        if (answer.Kind == ResultKind.None)
        {
            return "";
        }

        var code = (long)answer.X0;
        if (answer.Kind == ResultKind.Data)
        {
            return string.Create(CultureInfo.InvariantCulture, $"0x{answer.X0:x}");
        }

        return statuses is { IsEnum: true } && Names.GetValue(statuses, Read).TryGetValue(code, out var name) ? name : code switch
        {
            0 => "SUCCESS",
            -1 => "NOT_SUPPORTED",
            _ => code.ToString(CultureInfo.InvariantCulture),
        };
    }

    private static ConcurrentDictionary<long, string> Read(Type statuses)
    {
        var names = new ConcurrentDictionary<long, string>();
        foreach (var value in Enum.GetValuesAsUnderlyingType(statuses))
        {
            var code = value is ulong wide ? (long)wide : Convert.ToInt64(value, CultureInfo.InvariantCulture);
            names.TryAdd(code, SpecSpelling(Enum.GetName(statuses, value)!));
        }

        return names;
    }

    private static string SpecSpelling(string name)
    {
        var spelled = new StringBuilder();
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && spelled.Length > 0)
            {
                spelled.Append('_');
            }

            spelled.Append(char.ToUpperInvariant(letter));
        }

        return spelled.ToString();
    }
}

using System.Collections;
using System.Reflection;
using System.Text.Json;

namespace Hypercalls.Testkit.Sanity;

/// <summary>The first member in which two states differ, whether it is saved or not.</summary>
internal static class MemberDifference
{
    private const int Deepest = 32;
    private const int LongestShown = 40;

    /// <summary>Null where they are equal in every field.</summary>
    public static (string Member, string One, string Other)? Of(object one, object other) => Of(one.GetType().Name, one, other, 0);

    private static (string Member, string One, string Other)? Of(string path, object? one, object? other, int depth)
    {
        // A bare object is the state of a service that remembers nothing.
        if (ReferenceEquals(one, other) || depth > Deepest || one?.GetType() == typeof(object))
        {
            return null;
        }

        if (one is null || other is null || one.GetType() != other.GetType())
        {
            return (path, Shown(one), Shown(other));
        }

        var type = one.GetType();
        if (type.IsPrimitive || type.IsEnum || one is string or Delegate or Type)
        {
            return one is Delegate or Type || one.Equals(other) ? null : (path, Shown(one), Shown(other));
        }

        if (one is JsonElement json)
        {
            return JsonElement.DeepEquals(json, (JsonElement)other) ? null : (path, Shown(one), Shown(other));
        }

        if (one is IDictionary dictionary)
        {
            return Entries(path, dictionary, (IDictionary)other, depth);
        }

        if (one is IEnumerable items)
        {
            return Items(path, items, (IEnumerable)other, depth);
        }

        // What the runtime or the sdk brings knows itself when it is equal; its fields say nothing to an author.
        if (type.Assembly == typeof(object).Assembly || type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true)
        {
            return one.Equals(other) ? null : (path, Shown(one), Shown(other));
        }

        for (var declaring = type; declaring is not null && declaring != typeof(object); declaring = declaring.BaseType)
        {
            foreach (var field in declaring.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                if (Of($"{path}.{NameOf(field)}", field.GetValue(one), field.GetValue(other), depth + 1) is { } difference)
                {
                    return difference;
                }
            }
        }

        return null;
    }

    private static (string Member, string One, string Other)? Items(string path, IEnumerable one, IEnumerable other, int depth)
    {
        object?[] items = [.. one];
        object?[] others = [.. other];
        if (items.Length != others.Length)
        {
            return ($"{path}.Count", $"{items.Length}", $"{others.Length}");
        }

        for (var i = 0; i < items.Length; i++)
        {
            if (Of($"{path}[{i}]", items[i], others[i], depth + 1) is { } difference)
            {
                return difference;
            }
        }

        return null;
    }

    private static (string Member, string One, string Other)? Entries(string path, IDictionary one, IDictionary other, int depth)
    {
        foreach (DictionaryEntry entry in one)
        {
            if (Of($"{path}[{entry.Key}]", entry.Value, other.Contains(entry.Key) ? other[entry.Key] : null, depth + 1) is { } difference)
            {
                return difference;
            }
        }

        return one.Count == other.Count ? null : ($"{path}.Count", $"{one.Count}", $"{other.Count}");
    }

    // The field behind a property has the property's name in brackets.
    private static string NameOf(FieldInfo field) => field.Name.StartsWith('<') ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;

    private static string Shown(object? value)
    {
        var text = value?.ToString() ?? "null";
        return text.Length <= LongestShown ? text : text[..LongestShown] + "…";
    }
}

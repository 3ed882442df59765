using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>A header that assembly and C# agree on: its names in capitals are those of the C# constants.</summary>
internal static partial class LayoutHeader
{
    /// <summary>Each constant has its line, and each line its constant, of one value.</summary>
    public static void IsThatOf(Type layout, string path)
    {
        var header = Definition().Matches(File.ReadAllText(GuestImages.Source(path)))
            .ToDictionary(match => PascalCase(match.Groups["name"].Value), match => Number(match.Groups["value"].Value));
        var constants = layout.GetFields(BindingFlags.Public | BindingFlags.Static)
            .ToDictionary(field => field.Name, field => Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture));
        Assert.NotEmpty(constants);
        Assert.Equal(header.OrderBy(pair => pair.Key, StringComparer.Ordinal), constants.OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    private static string PascalCase(string name) =>
        string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..].ToLowerInvariant()));

    private static long Number(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal)
            ? long.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^#define\s+(?<name>\w+)\s+(?<value>\w+)", RegexOptions.Multiline)]
    private static partial Regex Definition();
}

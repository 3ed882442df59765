using System.Globalization;

namespace Hypercalls.Sdk;

/// <summary>Text that may hold what a guest chose: nothing in it may steer a terminal or break the line.</summary>
internal static class PrintableText
{
    private const int Longest = 500;

    public static string Of(string text)
    {
        var printable = string.Concat(text.Select(letter =>
            char.IsControl(letter) || char.GetUnicodeCategory(letter) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '\uFFFD' : letter));
        return printable.Length <= Longest ? printable : printable[..Longest] + "…";
    }
}

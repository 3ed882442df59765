using System.Globalization;

namespace Hypercalls.Cli.Output;

/// <summary>Text that came over the wire, made safe for a terminal: a daemon may pass on what a guest chose.</summary>
internal static class Printable
{
    private const int Longest = 1000;

    /// <summary>On one line, without anything that steers a terminal.</summary>
    public static string Line(string text)
    {
        var line = text.Length <= Longest ? text : text[..Longest] + "…";
        return line.Any(IsUnsafe) ? string.Concat(line.Select(letter => IsUnsafe(letter) ? '\uFFFD' : letter)) : line;
    }

    private static bool IsUnsafe(char letter) => char.IsControl(letter) || char.GetUnicodeCategory(letter) == UnicodeCategory.Format;
}

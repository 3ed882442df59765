using System.Globalization;

namespace Hypercalls.Cli;

/// <summary>Numbers and names as people type them: 0xC4000003, 0xC400_0003, 3295, CPU_ON.</summary>
internal static class FunctionArgument
{
    /// <summary>A number; false for a name.</summary>
    /// <exception cref="CliException">It looks like a number and is wider than the limit.</exception>
    public static bool TryNumber(string text, int bits, string what, out ulong value)
    {
        value = 0;
        if (text.Length == 0 || !char.IsAsciiDigit(text[0]))
        {
            return false;
        }

        var digits = text.Replace("_", "", StringComparison.Ordinal);
        var parsed = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        if (!parsed)
        {
            throw new CliException($"{text} is not {what}: give hexadecimal with 0x, or decimal digits.", ExitCode.BadInput);
        }

        return bits == 64 || value >> bits == 0
            ? true
            : throw new CliException($"{text} is wider than the {bits} bits of {what}.", ExitCode.BadInput);
    }

    /// <summary>A number, and nothing else.</summary>
    /// <exception cref="CliException">It is none, or wider than the limit.</exception>
    public static ulong Number(string text, int bits, string what) =>
        TryNumber(text, bits, what, out var value)
            ? value
            : throw new CliException($"{text} is not {what}: give hexadecimal with 0x, or decimal digits.", ExitCode.BadInput);
}

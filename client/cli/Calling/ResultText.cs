using System.Globalization;
using System.Text;
using Hypercalls.Hosts.Caller;

namespace Hypercalls.Cli.Calling;

/// <summary>A call that returned, for people: HELLO_ADD(1, 2)  x0 0x3  x1 0x0  x2 0x0  x3 0x0, and below it the memory that it changed.</summary>
internal static class ResultText
{
    private const int ResultRegisters = 4;
    private const int RowBytes = 16;

    public static IEnumerable<string> Lines(NamedCall call, CallerResult result)
    {
        // Those above x3 are the caller's own unless the service writes them.
        var shown = Enumerable.Range(0, result.X.Count).Where(n => n < ResultRegisters || result.X[n] != result.Before[n]);
        yield return string.Join("  ", shown.Select(n => string.Create(CultureInfo.InvariantCulture, $"x{n} 0x{result.X[n]:x}")).Prepend(call.ToString()));
        foreach (var (register, before, after) in Memory(call, result))
        {
            for (var at = 0; at < after.Length; at += RowBytes)
            {
                var row = after.Slice(at, Math.Min(RowBytes, after.Length - at));
                if (!row.Span.SequenceEqual(before.Span.Slice(at, row.Length)))
                {
                    yield return string.Create(CultureInfo.InvariantCulture, $"  x{register}+0x{at:x2}  {Hexadecimal(row.Span),-(RowBytes * 3) + 1}  {Letters(row.Span)}");
                }
            }
        }
    }

    /// <summary>The arguments that are memory: their register, what they held before the call and what after it.</summary>
    public static IEnumerable<(int Register, ReadOnlyMemory<byte> Before, ReadOnlyMemory<byte> After)> Memory(NamedCall call, CallerResult result) =>
        call.Script.Arguments
            .Select((argument, n) => (Register: n + 1, Before: argument.Value.Memory))
            .Where(argument => argument.Before is not null)
            .Select((argument, n) => (argument.Register, argument.Before!.Value, result.Memory[n]));

    private static string Hexadecimal(ReadOnlySpan<byte> row)
    {
        var text = new StringBuilder();
        foreach (var value in row)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? " " : "")}{value:x2}");
        }

        return text.ToString();
    }

    private static string Letters(ReadOnlySpan<byte> row)
    {
        var text = new StringBuilder();
        foreach (var value in row)
        {
            text.Append(value is >= 0x20 and < 0x7f ? (char)value : '.');
        }

        return text.ToString();
    }
}

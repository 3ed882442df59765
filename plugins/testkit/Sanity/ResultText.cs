using System.Globalization;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>What a call led to on one line: SUCCESS, x1 0x7, power on 0.0.0.1.</summary>
internal static class ResultText
{
    public static string Of(in Served served)
    {
        List<string> parts = [served.ResultText()];
        ulong[] more = [served.Answer.X1, served.Answer.X2, served.Answer.X3];
        for (var i = 0; i < more.Length; i++)
        {
            if (more[i] != 0 && served.Answer.Kind != ResultKind.None)
            {
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"x{i + 1} 0x{more[i]:x}"));
            }
        }

        parts.AddRange(served.Answer.Beyond.Select(register => string.Create(CultureInfo.InvariantCulture, $"x{register.Index} 0x{register.Value:x}")));
        parts.AddRange(served.Answer.Writes.Select(write => string.Create(CultureInfo.InvariantCulture, $"{write.Data.Count} bytes at 0x{write.Base:x}")));
        parts.Add(served.EffectText());
        return string.Join(", ", parts.Where(part => part.Length > 0));
    }
}

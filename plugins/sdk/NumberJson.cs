using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypercalls.Sdk;

/// <summary>In settings a whole number is a JSON number, or a text in the digits of the specifications, "0x4008_0000": JSON has no hexadecimal.</summary>
/// <typeparam name="T">The number's type, whose range is checked.</typeparam>
internal sealed class NumberJson<T> : JsonConverter<T>
    where T : struct, IBinaryInteger<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number when T.TryParse(reader.ValueSpan, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) => value,
        JsonTokenType.String when TryParse(reader.GetString()!, out var value) => value,
        _ => throw new JsonException("This is no such number."),
    };

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.ToString(null, CultureInfo.InvariantCulture));

    private static bool TryParse(string text, out T value)
    {
        value = default;
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        return digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && UInt128.TryParse(digits.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits)
            && IsInRange(bits, out value);
    }

    private static bool IsInRange(UInt128 bits, out T value)
    {
        value = T.CreateTruncating(bits);
        return !T.IsNegative(value) && UInt128.CreateTruncating(value) == bits;
    }
}

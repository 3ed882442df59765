using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypercalls.Psci;

/// <summary>A number that specifications write in hexadecimal: in JSON a string such as "0x80000001", or a number.</summary>
internal sealed class HexadecimalJson : JsonConverter<uint>
{
    public override uint Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetUInt32(out var number))
        {
            return number;
        }

        return reader.TokenType == JsonTokenType.String && reader.GetString() is { } text
            && text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            && uint.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
            ? number
            : throw new JsonException("It must be a 32-bit number, or one in hexadecimal such as \"0x80000001\".");
    }

    public override void Write(Utf8JsonWriter writer, uint value, JsonSerializerOptions options) =>
        writer.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"0x{value:X}"));
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypercalls.Sdk;

/// <summary>An Mpidr is a JSON number; read, it may also be a text as people write it, "0.0.1.3" or "0x103".</summary>
internal sealed class MpidrJson : JsonConverter<Mpidr>
{
    public override Mpidr Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var value = reader.TokenType == JsonTokenType.String ? Affinity(reader.GetString()!)
            : reader.TokenType == JsonTokenType.Number && reader.TryGetUInt64(out var number) ? number
            : null;
        return value is { } argument && Mpidr.TryParse(argument, out var mpidr) ? mpidr : throw new JsonException("This is no affinity.");
    }

    public override void Write(Utf8JsonWriter writer, Mpidr value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);

    private static ulong? Affinity(string text)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var register) ? register : null;
        }

        string[] fields = text.Split('.');
        if (fields.Length != 4)
        {
            return null;
        }

        ulong affinity = 0;
        foreach (var (level, field) in fields.Reverse().Index())
        {
            if (!byte.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                return null;
            }

            affinity |= (ulong)value << (level == 3 ? 32 : 8 * level);
        }

        return affinity;
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypercalls.Sdk;

/// <summary>In settings a FunctionId is a text such as "0xC400_0003", or a JSON number.</summary>
internal sealed class FunctionIdJson : JsonConverter<FunctionId>
{
    public override FunctionId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.String when FunctionId.TryParse(reader.GetString()!, out var id) => id,
        JsonTokenType.Number when reader.TryGetUInt32(out var value) => new(value),
        _ => throw new JsonException("This is no function identifier."),
    };

    public override void Write(Utf8JsonWriter writer, FunctionId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypercalls.Sdk;

/// <summary>An Mpidr is a JSON number.</summary>
internal sealed class MpidrJson : JsonConverter<Mpidr>
{
    public override Mpidr Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Mpidr.TryParse(reader.GetUInt64(), out var mpidr) ? mpidr : throw new JsonException("Bits outside the affinity fields are set.");

    public override void Write(Utf8JsonWriter writer, Mpidr value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

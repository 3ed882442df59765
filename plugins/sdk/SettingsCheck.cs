using System.Collections;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Hypercalls.Sdk;

/// <summary>Looks at settings member by member before they are read, so that a fault can name the member, its value and what is expected.</summary>
internal sealed class SettingsCheck(JsonSerializerOptions options)
{
    /// <summary>Throws at the first member that its type cannot take.</summary>
    /// <exception cref="SettingsException">It is unknown, missing or of the wrong type.</exception>
    public void Members(Type type, JsonObject members, string path)
    {
        JsonPropertyInfo[] known = [.. options.GetTypeInfo(type).Properties.Where(property => property.Set is not null || property.AssociatedParameter is not null)];
        foreach (var (name, value) in members)
        {
            var property = Array.Find(known, property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                ?? throw Unknown(path, name, value, [.. known.Select(property => property.Name)]);
            if (value is null && !property.IsSetNullable)
            {
                throw Wrong(property.PropertyType, Join(path, property.Name), value, null);
            }

            if (value is not null && property.CustomConverter is { } converter)
            {
                Own(property.PropertyType, converter, value, Join(path, property.Name));
            }
            else
            {
                Value(property.PropertyType, value, Join(path, property.Name));
            }
        }

        if (Array.Find(known, property => property.IsRequired && !members.Any(member => member.Key.Equals(property.Name, StringComparison.OrdinalIgnoreCase))) is { } missing)
        {
            throw new SettingsException(path, members, $"{missing.Name} is missing");
        }
    }

    /// <summary>A converter's own sentence, without what the serializer adds.</summary>
    public static string Sentence(JsonException fault) => fault.Message.Split(" Path: ")[0].TrimEnd('.', ' ');

    private void Value(Type type, JsonNode? value, string path)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (value is null)
        {
            return;
        }

        var info = options.GetTypeInfo(type);
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Object:
                Members(type, value as JsonObject ?? throw Wrong(type, path, value, null), path);
                break;
            case JsonTypeInfoKind.Enumerable:
                Items(info.ElementType!, type, value, path);
                break;
            case JsonTypeInfoKind.Dictionary:
                foreach (var (name, item) in value as JsonObject ?? throw Wrong(type, path, value, null))
                {
                    Item(info.ElementType!, item, Join(path, name));
                }

                break;
            default:
                if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueArray<>))
                {
                    Items(type.GetGenericArguments()[0], type, value, path);
                }
                else
                {
                    Leaf(type, value, path);
                }

                break;
        }
    }

    private void Items(Type item, Type list, JsonNode value, string path)
    {
        var items = value as JsonArray ?? throw Wrong(list, path, value, null);
        for (var i = 0; i < items.Count; i++)
        {
            Item(item, items[i], $"{path}[{i}]");
        }
    }

    private void Item(Type type, JsonNode? value, string path)
    {
        if (value is null && Nullable.GetUnderlyingType(type) is null)
        {
            throw Wrong(type, path, value, null);
        }

        Value(type, value, path);
    }

    /// <summary>A member with a converter of its own, which says what it takes.</summary>
    private void Own(Type type, JsonConverter converter, JsonNode value, string path)
    {
        try
        {
            value.Deserialize(type, With(converter));
        }
        catch (JsonException e)
        {
            throw new SettingsException(path, value, Sentence(e), e);
        }
    }

    private JsonSerializerOptions With(JsonConverter converter)
    {
        var own = new JsonSerializerOptions(options);
        own.Converters.Insert(0, converter);
        return own;
    }

    private void Leaf(Type type, JsonNode value, string path)
    {
        try
        {
            value.Deserialize(type, options);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException or FormatException)
        {
            throw Wrong(type, path, value, e);
        }
    }

    private static SettingsException Unknown(string path, string name, JsonNode? value, string[] known) => new(
        Join(path, name),
        value,
        ClosestNames.To(name, known) switch
        {
            [] when known.Length == 0 => "nothing can be set there",
            [] => $"there is no such setting; there are {string.Join(", ", known)}",
            var closest => $"there is no such setting; did you mean {string.Join(" or ", closest)}?",
        });

    private static SettingsException Wrong(Type type, string path, JsonNode? value, Exception? cause) => new(
        path,
        value,
        Expected(Nullable.GetUnderlyingType(type) ?? type) is { } expected ? $"give {expected}"
        : cause is JsonException fault ? Sentence(fault)
        : "give an object of its members",
        cause);

    private static string? Expected(Type type) =>
        type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(bool) ? "true or false"
        : type == typeof(string) ? "a text"
        : type == typeof(Guid) ? "a UUID such as 28b46fb6-2ec5-11e9-a9ca-4b564d003a74"
        : type == typeof(Version) ? "a version in quotes, such as \"1.1\""
        : type == typeof(TimeSpan) ? "a time such as \"00:00:30\""
        : type == typeof(Mpidr) ? "an affinity such as \"0.0.0.3\""
        : type == typeof(FunctionId) ? "a function identifier such as \"0xC400_0003\""
        : type == typeof(byte) ? Range<byte>()
        : type == typeof(ushort) ? Range<ushort>()
        : type == typeof(uint) ? Range<uint>()
        : type == typeof(ulong) ? Range<ulong>()
        : type == typeof(short) ? Range<short>()
        : type == typeof(int) ? Range<int>()
        : type == typeof(long) ? Range<long>()
        : type == typeof(double) || type == typeof(float) || type == typeof(decimal) ? "a number"
        : type.IsArray || (type.IsGenericType && type.IsAssignableTo(typeof(IEnumerable)) && type.GetGenericArguments().Length == 1) ? "a list"
        : null;

    private static string Range<T>()
        where T : IMinMaxValue<T> => $"a whole number from {T.MinValue} to {T.MaxValue}";

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}

using System.Collections;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hypercalls.Sdk;

/// <summary>A list that is a value: immutable, and equal to another with equal items. For states and answers.</summary>
/// <typeparam name="T">Of the items, values themselves.</typeparam>
[CollectionBuilder(typeof(ValueArray), nameof(ValueArray.Of))]
[JsonConverter(typeof(ValueArrayJson))]
public readonly struct ValueArray<T> : IReadOnlyList<T>, IEquatable<ValueArray<T>>
{
    private readonly T[]? _items;

    internal ValueArray(T[] items) => _items = items;

    /// <summary>The number of items.</summary>
    public int Count => _items?.Length ?? 0;

    /// <summary>One item.</summary>
    /// <param name="index">From 0.</param>
    /// <exception cref="IndexOutOfRangeException">There is no such item.</exception>
    public T this[int index] => Span[index];

    /// <summary>The items, without a copy.</summary>
    public ReadOnlySpan<T> Span => _items;

    /// <summary>The same list with one item replaced.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="item">The new item.</param>
    /// <returns>A new list.</returns>
    public ValueArray<T> With(int index, T item)
    {
        T[] items = [.. Span];
        items[index] = item;
        return new(items);
    }

    /// <inheritdoc/>
    public bool Equals(ValueArray<T> other) => Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ValueArray<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in Span)
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }

    /// <summary>Equal items in the same order.</summary>
    /// <param name="left">One list.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether they are equal.</returns>
    public static bool operator ==(ValueArray<T> left, ValueArray<T> right) => left.Equals(right);

    /// <summary>Not <c>==</c>.</summary>
    /// <param name="left">One list.</param>
    /// <param name="right">The other.</param>
    /// <returns>Whether they differ.</returns>
    public static bool operator !=(ValueArray<T> left, ValueArray<T> right) => !left.Equals(right);

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)(_items ?? [])).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The items, with commas.</summary>
    /// <returns>In brackets.</returns>
    public override string ToString() => $"[{string.Join(", ", this)}]";
}

/// <summary>Makes lists that are values; collection expressions do the same.</summary>
public static class ValueArray
{
    /// <summary>A copy of the items.</summary>
    /// <typeparam name="T">Of the items.</typeparam>
    /// <param name="items">Any number.</param>
    /// <returns>The list.</returns>
    public static ValueArray<T> Of<T>(ReadOnlySpan<T> items) => new(items.ToArray());
}

/// <summary>A ValueArray is a JSON array.</summary>
internal sealed class ValueArrayJson : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) =>
        typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(ValueArray<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Converter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;

    private sealed class Converter<T> : JsonConverter<ValueArray<T>>
    {
        public override ValueArray<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            new(JsonSerializer.Deserialize<T[]>(ref reader, options) ?? []);

        public override void Write(Utf8JsonWriter writer, ValueArray<T> value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value.Span.ToArray(), options);
    }
}

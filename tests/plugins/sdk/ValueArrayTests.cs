using System.Text.Json;
using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class ValueArrayTests
{
    [Fact]
    public void Equals_by_items()
    {
        ValueArray<int> one = [1, 2], same = [1, 2], swapped = [2, 1];
        Assert.Equal(one, same);
        Assert.Equal(one.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(one, swapped);
        Assert.NotEqual(one, [1]);
    }

    [Fact]
    public void The_default_is_an_empty_list()
    {
        ValueArray<int> empty = [];
        Assert.Equal(empty, default);
        Assert.Equal(empty.GetHashCode(), default(ValueArray<int>).GetHashCode());
        Assert.Empty(default(ValueArray<int>));
        Assert.True(default(ValueArray<int>).Span.IsEmpty);
        Assert.Equal("[]", default(ValueArray<int>).ToString());
        Assert.Throws<IndexOutOfRangeException>(() => default(ValueArray<int>)[0]);
    }

    [Fact]
    public void Is_not_changed_by_what_it_was_made_of_or_from()
    {
        int[] items = [1, 2];
        ValueArray<int> list = [.. items];
        items[0] = 9;
        var changed = list.With(1, 7);
        Assert.Equal([1, 2], list);
        Assert.Equal([1, 7], changed);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[1,2]")]
    public void Is_a_JSON_array(string json) => Assert.Equal(json, JsonSerializer.Serialize(JsonSerializer.Deserialize<ValueArray<int>>(json)));
}

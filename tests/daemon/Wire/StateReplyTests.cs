using Hypercalls.Daemon.Wire;
using Hypercalls.Sdk;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>A state on the wire: whatever a service shows, the reply stays below its limits and says what is missing.</summary>
public sealed class StateReplyTests
{
    private const int Largest = 4 * 1024 * 1024;

    [Fact]
    public void Tables_are_sent_as_they_are() => Assert.Equal(
        new Hypercalls.Protos.GetStateReply
        {
            Json = "{}",
            Tables =
            {
                new Hypercalls.Protos.StateTable { Title = "One", Columns = { "a", "b" }, Rows = { new Hypercalls.Protos.StateRow { Cells = { "1", "" } }, new Hypercalls.Protos.StateRow { Cells = { "2", "ß" } } } },
                new Hypercalls.Protos.StateTable { Title = "None", Columns = { "c" } },
            },
        },
        ToWire.State("{}", [new("One", ["a", "b"], [["1", ""], ["2", "ß"]]), new("None", ["c"], [])]));

    [Theory]
    [InlineData(65_536, 65_536, null)]
    [InlineData(65_537, 65_536, "… 2 more rows")]
    [InlineData(100_000, 65_536, "… 34465 more rows")]
    public void Rows_are_counted(int given, int sent, string? last)
    {
        var table = Assert.Single(ToWire.State("{}", [new("Many", ["a", "b"], Rows(given, "x"))]).Tables);
        Assert.Equal(sent, table.Rows.Count);
        Assert.Equal(last is null ? ["x", "x"] : [last, ""], table.Rows[^1].Cells);
    }

    [Theory]
    [InlineData(60_000, 32, 10, 2)] // 60,000 rows of 70 bytes
    [InlineData(60_000, 32, 3_000_000, 2)]
    [InlineData(60_000, 32, Largest - 1000, 2)]
    [InlineData(3, 3_000_000, 10, 2)]
    [InlineData(1, 3_000_000, 10, 2)]
    [InlineData(3, 3_000_000, Largest - 200, 1)] // no room for the second head
    [InlineData(3, 3_000_000, Largest - 50, 0)]
    public void Bytes_are_counted(int rows, int cell, int json, int tables)
    {
        var all = Rows(rows, new('x', cell));
        var reply = ToWire.State(new('j', json), [new("First", ["a", "b"], all), new("Second", ["a", "b"], all)]);
        Assert.InRange(reply.CalculateSize(), json, Largest);
        Assert.All(reply.Tables, table => Assert.Equal(($"… {rows - (table.Rows.Count - 1)} more rows", ""), (table.Rows[^1].Cells[0], table.Rows[^1].Cells[1])));
        Assert.Equal(tables, reply.Tables.Count);
    }

    [Theory]
    [InlineData(4096, 4096)]
    [InlineData(5000, 4097)]
    public void A_text_has_an_end(int given, int sent) =>
        Assert.Equal(sent, ToWire.Raised(new(null!, RaiseResult.Refused, new('t', given), null)).Text.Length);

    private static ValueArray<ValueArray<string>> Rows(int count, string cell) => [.. Enumerable.Repeat(ValueArray.Of<string>([cell, cell]), count)];
}

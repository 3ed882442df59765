using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class FunctionTableTests
{
    [Fact]
    public void Keeps_its_rows_in_order()
    {
        var table = new FunctionTable<TableState>
        {
            { 0x8200_0001, 0xC200_0001, "SECOND", Stateful, FunctionTraits.Mandatory | FunctionTraits.Uses(6, 7), "a", "b" },
            { 0x8200_0000, "FIRST", Stateless },
        };

        Assert.Equal(["SECOND", "FIRST"], table.Select(row => row.Name));
        var second = table.First();
        Assert.Equal([new(0x8200_0001), new(0xC200_0001)], second.Ids);
        Assert.Equal(["a", "b"], second.Parameters);
        Assert.Equal((true, false, false, 0xC0u), (second.Traits.IsMandatory, second.Traits.IsNoReturn, second.Traits.IsVersion, second.Traits.Used));
        Assert.True(table.TryGet(new(0xC200_0001), out var twin));
        Assert.Same(second, twin);
        Assert.False(table.TryGet(new(0xC200_0000), out _));
    }

    [Fact]
    public void Refuses_an_identifier_that_stands_twice() => Assert.Equal(
        "0x8200_0000 stands twice in the table: FIRST and SECOND. (Parameter 'ids')",
        Assert.Throws<ArgumentException>(() => new FunctionTable<TableState>
        {
            { 0x8200_0000, "FIRST", Stateless },
            { 0x8200_0000, "SECOND", Stateless },
        }).Message);

    [Theory]
    [InlineData(0x8200_0000, 0xC200_0001)] // another number
    [InlineData(0xC200_0000, 0x8200_0000)] // the wrong way round
    [InlineData(0xC200_0000, 0xC200_0000)]
    [InlineData(0x8200_0000, 0x8200_0000)]
    public void Refuses_identifiers_that_are_no_twins(uint smc32, uint smc64) =>
        Assert.Throws<ArgumentException>(() => new FunctionTable<TableState> { { smc32, smc64, "F", Stateless } });

    [Theory]
    [InlineData(0x8201_0000)] // the SVE hint
    [InlineData(0x8202_0000)]
    [InlineData(0x8280_0000)]
    public void Refuses_bits_that_no_fast_function_has(uint id) =>
        Assert.Throws<ArgumentException>(() => new FunctionTable<TableState> { { id, "F", Stateless } });

    [Fact]
    public void Takes_those_bits_in_a_yielding_function() => Assert.Single(new FunctionTable<TableState> { { 0x32FF_0000, "F", Stateless } });

    [Theory]
    [InlineData(6, 6, 0x40u)]
    [InlineData(6, 17, 0x3_FFC0u)]
    [InlineData(17, 17, 0x2_0000u)]
    public void Uses_registers(int first, int last, uint mask) => Assert.Equal(mask, FunctionTraits.Uses(first, last).Used);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          version       rows
    [InlineData("0.1",        "ALWAYS")]
    [InlineData("0.2",        "ALWAYS SINCE_0_2")]
    [InlineData("0.10",       "ALWAYS SINCE_0_2 SINCE_0_10")] // numbers, not digits
    [InlineData("1.0",        "ALWAYS SINCE_0_2 SINCE_0_10 SINCE_1_0")]
    [InlineData("1.1",        "ALWAYS SINCE_0_2 SINCE_0_10 SINCE_1_0")]
    [InlineData("32767.65534", "ALWAYS SINCE_0_2 SINCE_0_10 SINCE_1_0")]
    [InlineData("32767.65535", "ALWAYS SINCE_0_2 SINCE_0_10 SINCE_1_0 LATEST")]
    [InlineData(null,         "ALWAYS SINCE_0_2 SINCE_0_10 SINCE_1_0 LATEST")] // a table of no version has every row
#pragma warning restore format
    public void Has_the_rows_of_its_version(string? version, string rows)
    {
        var table = Versioned(version is null ? new() : new(Version.Parse(version)));
        Assert.Equal(rows.Split(' '), table.Select(row => row.Name));
        Assert.Equal(rows.Contains("SINCE_1_0", StringComparison.Ordinal), table.TryGet(new(0x8200_0003), out _));
        Assert.Equal(rows.Contains("SINCE_1_0", StringComparison.Ordinal), table.TryGet(new(0xC200_0003), out _));
    }

    [Fact]
    public void An_identifier_may_change_its_meaning_with_the_version()
    {
        var table = new FunctionTable<TableState>(new Version(1, 0))
        {
            { 0x8200_0000, "NEW", Stateless, FunctionTraits.Since(1, 3) },
            { 0x8200_0000, "OLD", Stateless },
        };
        Assert.Equal("OLD", Assert.Single(table).Name);
    }

    [Fact]
    public void Refuses_identifiers_that_are_no_twins_in_rows_of_later_versions_too() =>
        Assert.Throws<ArgumentException>(() => new FunctionTable<TableState>(new Version(1, 0))
        {
            { 0x8200_0000, 0xC200_0001, "F", Stateless, FunctionTraits.Since(1, 3) },
        });

    [Fact]
    public void Rows_say_which_version_brought_them()
    {
        var traits = FunctionTraits.Since(1, 3) | FunctionTraits.NoReturn | FunctionTraits.Uses(6);
        Assert.Equal((new Version(1, 3), true, 0x40u), (traits.Introduced, traits.IsNoReturn, traits.Used));
        Assert.Equal(new Version(0, 0), FunctionTraits.Mandatory.Introduced);
        Assert.Equal(new Version(1, 3), (FunctionTraits.Since(1, 3) | FunctionTraits.Since(1, 1)).Introduced); // the later of two
        Assert.Equal(new Version(0x7FFF, 0xFFFF), FunctionTraits.Since(0x7FFF, 0xFFFF).Introduced);
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    [InlineData(0x8000, 0)]
    [InlineData(1, 0x1_0000)]
    public void Refuses_versions_that_there_are_not(int major, int minor) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FunctionTraits.Since(major, minor));

    [Theory]
    [InlineData(5, 6)]
    [InlineData(6, 18)]
    [InlineData(8, 7)]
    public void Refuses_registers_that_are_no_arguments_on_demand(int first, int last) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FunctionTraits.Uses(first, last));

    private static FunctionTable<TableState> Versioned(FunctionTable<TableState> table)
    {
        table.Add(0x8200_0000, "ALWAYS", Stateless);
        table.Add(0x8200_0001, "SINCE_0_2", Stateless, FunctionTraits.Since(0, 2));
        table.Add(0x8200_0002, "SINCE_0_10", Stateful, FunctionTraits.Since(0, 10) | FunctionTraits.Mandatory);
        table.Add(0x8200_0003, 0xC200_0003, "SINCE_1_0", Stateless, FunctionTraits.Since(1, 0));
        table.Add(0x8200_0004, "LATEST", Stateless, FunctionTraits.Since(0x7FFF, 0xFFFF));
        return table;
    }

    private static Answer Stateless(in Hypercall call) => Answer.Success;

    private static Outcome<TableState> Stateful(in Hypercall call, TableState state) => Answer.Success;
}

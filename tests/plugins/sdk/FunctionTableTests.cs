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
    [InlineData(5, 6)]
    [InlineData(6, 18)]
    [InlineData(8, 7)]
    public void Refuses_registers_that_are_no_arguments_on_demand(int first, int last) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FunctionTraits.Uses(first, last));

    private static Answer Stateless(in Hypercall call) => Answer.Success;

    private static Outcome<TableState> Stateful(in Hypercall call, TableState state) => Answer.Success;
}

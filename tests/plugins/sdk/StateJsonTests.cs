using System.Text.Json.Nodes;
using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>States that are saved by one version of a service and restored by another.</summary>
public sealed class StateJsonTests
{
    [Fact]
    public void Members_that_are_new_have_their_initialisers_and_those_that_are_gone_are_left_out()
    {
        var machine = new TestMachine(new Plain());
        machine.Restore("""{ "Kept": 5, "Gone": { "a": [1] } }""");
        Assert.Equal(new PlainState { Kept = 5, New = 7 }, machine.StateOf<PlainState>());
    }

    [Theory]
    [InlineData("1", """{ "$version": 3, "Sum": 6 }""",            6)]
    [InlineData("2", """{ "$version": 2, "Left": 1, "Right": 2 }""", 3)]
    [InlineData("3", """{ "Both": [4, 5] }""",                      9)]  // without a number: version 1
    public void Older_states_are_made_those_of_this_version(string name, string saved, int sum)
    {
        var machine = new TestMachine(new Upgraded());
        machine.Restore(saved, "UPGRADED");
        Assert.Equal((name, new UpgradedState { Sum = sum }), (name, machine.StateOf<UpgradedState>()));
    }

    [Theory]
    [InlineData("[]",                    "A state is one JSON object, and this is none.")]
    [InlineData("{ \"$version\": 4 }",   "The state is of version 4, and this service knows 3: load the service that saved it, or a later one.")]
    [InlineData("{ \"$version\": 0 }",   "$version of a state is a whole number from 1, and not 0.")]
    [InlineData("{ \"$version\": \"x\" }", "$version of a state is a whole number from 1, and not \"x\".")]
    [InlineData("{ \"$version\": null }", "$version of a state is a whole number from 1, and not null.")]
    public void What_is_no_state_is_refused(string json, string sentence) => Assert.Equal(sentence, Assert.Throws<StateException>(() => new Upgraded().Restore(json)).Message);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{ \"Kept\": \"five\" }")]
    [InlineData("{ \"Kept\": 99999999999 }")]
    public void What_cannot_be_read_is_refused(string json) => Assert.StartsWith("The state cannot be read: ", Assert.Throws<StateException>(() => new Plain().Restore(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_state_carries_its_version_where_there_is_more_than_one()
    {
        Assert.Equal(["$version", "Sum"], JsonNode.Parse(new Upgraded().Save(new UpgradedState()))!.AsObject().Select(member => member.Key));
        Assert.Equal(["Kept", "New"], JsonNode.Parse(new Plain().Save(new PlainState()))!.AsObject().Select(member => member.Key));
    }

    private sealed class Plain : Service<PlainState>
    {
        public override string Name => "PLAIN";

        public override string Version => "1";

        public override FunctionTable<PlainState> Functions { get; } = [];
    }

    private sealed record PlainState
    {
        public int Kept { get; init; }

        public int New { get; init; } = 7;
    }

    private sealed class Upgraded : Service<UpgradedState>, IUpgradable
    {
        public override string Name => "UPGRADED";

        public override string Version => "3";

        public override FunctionTable<UpgradedState> Functions { get; } = [];

        public int StateVersion => 3;

        public JsonObject Upgrade(JsonObject saved, int version) => new()
        {
            ["Sum"] = version == 1 ? (int)saved["Both"]![0]! + (int)saved["Both"]![1]! : (int)saved["Left"]! + (int)saved["Right"]!,
        };
    }

    private sealed record UpgradedState
    {
        public int Sum { get; init; }
    }
}

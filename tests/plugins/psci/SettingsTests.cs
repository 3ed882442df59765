using System.Text.Json.Nodes;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using static Hypercalls.Psci.LocalState;

namespace Hypercalls.Tests.Psci;

/// <summary>Settings that contradict the specification are refused, each with a sentence that says what to do.</summary>
public sealed class SettingsTests
{
    [Theory]
    [InlineData("0.1")]
    [InlineData("0.3")]
    [InlineData("1.4")]
    [InlineData("2.0")]
    [InlineData("1.3.0")]
    public void An_unknown_version(string version) => Refuses(
        "version", "the versions of PSCI are 0.2, 1.0, 1.1, 1.2, 1.3",
        new() { Version = Version.Parse(version) });

    [Fact]
    public void The_extended_format_before_it_came() => Refuses(
        "stateIdFormat", "the extended StateID format came with PSCI 1.0, and version is 0.2",
        new() { Version = new(0, 2), StateIdFormat = StateIdFormat.Extended });

    [Theory]
    [InlineData("")]
    [InlineData("CPU")]
    [InlineData("cpu_sleep")]
    [InlineData("cpu/sleep")]
    [InlineData("a-name-of-thirty-two-letters-long")]
    public void A_name_that_no_device_tree_takes(string name) => Refuses(
        "suspendStates", $"state \"{name}\" needs a name of 1 to 31 lower-case letters, digits and dashes",
        States(new SuspendState { Name = name, Levels = [Standby] }));

    [Fact]
    public void A_name_of_31_letters_is_taken() =>
        Accepts(States(new SuspendState { Name = new('a', 31), Levels = [Standby] }));

    [Theory]
    [InlineData(StateIdFormat.Original, 0xFFFFu, 0x1_0000u, "state s has stateId 0x10000, above 0xFFFF, the largest of the Original format")]
    [InlineData(StateIdFormat.Extended, 0xFFF_FFFFu, 0x1000_0000u, "state s has stateId 0x10000000, above 0xFFFFFFF, the largest of the Extended format")]
    public void A_StateID_that_is_too_large(StateIdFormat format, uint largest, uint tooLarge, string fault)
    {
        Accepts(States(new SuspendState { Name = "s", StateId = largest, Levels = [Standby] }) with { StateIdFormat = format });
        Refuses("suspendStates", fault, States(new SuspendState { Name = "s", StateId = tooLarge, Levels = [Standby] }) with { StateIdFormat = format });
    }

    [Theory]
    [InlineData]
    [InlineData(Run)]
    [InlineData(Off)]
    [InlineData(PowerDown, Run)]
    [InlineData((LocalState)5)]
    [InlineData(PowerDown, PowerDown, PowerDown, PowerDown, PowerDown)]
    public void Levels_that_are_none(params LocalState[] levels) => Refuses(
        "suspendStates", "state s must have 1 to 4 levels of Standby, Retention and PowerDown, the core's first",
        States(new SuspendState { Name = "s", Levels = [.. levels] }));

    [Theory]
    [InlineData("level 1 in Retention while level 0 below it is in Standby", Standby, Retention)]
    [InlineData("level 1 in PowerDown while level 0 below it is in Retention", Retention, PowerDown)]
    [InlineData("level 2 in PowerDown while level 1 below it is in Standby", PowerDown, Standby, PowerDown)]
    public void A_node_deeper_than_the_one_below(string fault, params LocalState[] levels) => Refuses(
        "suspendStates", $"state s cannot have {fault}",
        States(new SuspendState { Name = "s", Levels = [.. levels] }));

    [Theory]
    [InlineData(PowerDown, PowerDown, PowerDown, PowerDown)]
    [InlineData(PowerDown, Retention, Retention, Standby)]
    [InlineData(Standby, Standby)]
    public void Nodes_no_deeper_than_those_below_are_taken(params LocalState[] levels) =>
        Accepts(States(new SuspendState { Name = "s", Levels = [.. levels] }));

    [Fact]
    public void Two_states_with_one_power_state()
    {
        // The original format says the level; the extended one leaves it to the StateID.
        var settings = States(new() { Name = "core", Levels = [PowerDown] }, new() { Name = "cluster", Levels = [PowerDown, PowerDown] });
        Accepts(settings);
        Refuses("suspendStates", "two states have the power_state 0x40000000; give one of them another stateId", settings with { StateIdFormat = StateIdFormat.Extended });
        Refuses(
            "suspendStates", "two states have the power_state 0x1; give one of them another stateId",
            States(new() { Name = "a", StateId = 1, Levels = [Standby] }, new() { Name = "b", StateId = 1, Levels = [Retention] }));
    }

    [Fact]
    public void Two_states_of_one_name() => Refuses(
        "suspendStates", "two states are named s",
        States(new() { Name = "s", Levels = [Standby] }, new() { Name = "s", StateId = 1, Levels = [Standby] }));

    [Fact]
    public void A_vendor_reset_of_a_type_that_is_not_the_vendors()
    {
        Refuses("vendorResets", "the vendor's types begin at 0x80000000", new() { VendorResets = [new()] });
        Refuses("vendorResets", "the vendor's types begin at 0x80000000", new() { VendorResets = [new() { Type = 0x8000_0000 }, new() { Type = 0x7FFF_FFFF }] });
        Accepts(new() { VendorResets = [new() { Type = 0x8000_0000 }, new() { Type = 0xFFFF_FFFF }] });
    }

    [Fact]
    public void A_vendor_reset_that_stands_twice() => Refuses(
        "vendorResets", "type 0x80000001 stands twice",
        new() { VendorResets = [new() { Type = 0x8000_0001 }, new() { Type = 0x8000_0001, Action = VendorResetAction.Shutdown }] });

    [Fact]
    public void No_suspend_states_at_all_are_taken() => Accepts(new() { SuspendStates = [] });

    [Fact]
    public void Numbers_that_are_no_choice()
    {
        Refuses("stateIdFormat", "the formats are original and extended", new() { StateIdFormat = (StateIdFormat)2 });
        Refuses("vendorResets", "the actions are reset and shutdown", new() { VendorResets = [new() { Type = 0x8000_0000, Action = (VendorResetAction)2 }] });
    }

    [Fact]
    public void They_read_as_the_README_writes_them()
    {
        var settings = Read(
            """
            {
              "version": "1.1",
              "stateIdFormat": "extended",
              "suspendStates": [
                { "name": "cpu-standby", "levels": ["standby"], "stateId": 7 },
                { "name": "cluster-sleep", "levels": ["powerDown", "retention"], "stateId": "0x1A",
                  "idle": { "entryLatencyUs": 100, "exitLatencyUs": 200, "minResidencyUs": 1000 } } ],
              "vendorResets": [ { "type": "0x80000001", "action": "shutdown" }, { "type": 2147483648, "action": "reset" } ]
            }
            """);

        Assert.Equal(
            new PsciSettings
            {
                Version = new(1, 1),
                StateIdFormat = StateIdFormat.Extended,
                SuspendStates =
                [
                    new() { Name = "cpu-standby", Levels = [Standby], StateId = 7 },
                    new() { Name = "cluster-sleep", Levels = [PowerDown, Retention], StateId = 0x1A, Idle = new() { EntryLatencyUs = 100, ExitLatencyUs = 200, MinResidencyUs = 1000 } },
                ],
                VendorResets = [new() { Type = 0x8000_0001, Action = VendorResetAction.Shutdown }, new() { Type = 0x8000_0000 }],
            },
            settings);
        Accepts(settings);
    }

    private static PsciSettings Read(string json) => (PsciSettings)Settings.Read(typeof(PsciSettings), JsonNode.Parse(json)!.AsObject());

    private static PsciSettings States(params SuspendState[] states) => new() { SuspendStates = [.. states] };

    private static void Accepts(PsciSettings settings) => Assert.NotNull(new PsciService(settings));

    private static void Refuses(string member, string sentence, PsciSettings settings) =>
        Assert.Equal(new ArgumentException(sentence, member).Message, Assert.Throws<ArgumentException>(() => new PsciService(settings)).Message);
}

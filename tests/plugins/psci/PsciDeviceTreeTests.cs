using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Sdk.DeviceTreeProperty;

namespace Hypercalls.Tests.Psci;

public sealed class PsciDeviceTreeTests
{
    [Fact]
    public void A_guest_finds_PSCI_and_how_its_cores_start() => Assert.Equal<DeviceTreeNode>(
        [
            new("/psci", [Strings("compatible", "arm,psci-1.0", "arm,psci-0.2"), Conduit("method")]),
            new("/cpus/cpu@*", [Strings("enable-method", "psci")]),
        ],
        new TestMachine(new PsciService()).DeviceTree);

    [Fact]
    public void PSCI_0_2_is_not_compatible_with_1_0() => Assert.Contains(
        new("/psci", [Strings("compatible", "arm,psci-0.2"), Conduit("method")]),
        new TestMachine(new PsciService(new() { Version = new(0, 2) })).DeviceTree);

    [Fact]
    public void States_with_figures_for_idling_stand_in_the_tree()
    {
        var settings = new PsciSettings
        {
            SuspendStates =
            [
                new() { Name = "cpu-standby", Levels = [LocalState.Standby] },
                new() { Name = "cpu-retention", Levels = [LocalState.Retention], StateId = 2, Idle = new() { EntryLatencyUs = 1, ExitLatencyUs = 2, MinResidencyUs = 3 } },
                new() { Name = "cluster-sleep", Levels = [LocalState.PowerDown, LocalState.PowerDown], StateId = 0x33, Idle = new() { EntryLatencyUs = 10, ExitLatencyUs = 20, MinResidencyUs = 300 } },
            ],
        };
        Assert.Equal<DeviceTreeNode>(
            [
                new("/psci", [Strings("compatible", "arm,psci-1.0", "arm,psci-0.2"), Conduit("method")]),
                new("/cpus/cpu@*", [Strings("enable-method", "psci"), References("cpu-idle-states", "/cpus/idle-states/cpu-retention", "/cpus/idle-states/cluster-sleep")]),
                new("/cpus/idle-states", [Strings("entry-method", "psci")]),
                new("/cpus/idle-states/cpu-retention",
                [
                    Strings("compatible", "arm,idle-state"), Cells("arm,psci-suspend-param", 0x0000_0002),
                    Cells("entry-latency-us", 1), Cells("exit-latency-us", 2), Cells("min-residency-us", 3),
                ]),
                new("/cpus/idle-states/cluster-sleep",
                [
                    Strings("compatible", "arm,idle-state"), Cells("arm,psci-suspend-param", 0x0101_0033),
                    Cells("entry-latency-us", 10), Cells("exit-latency-us", 20), Cells("min-residency-us", 300),
                ]),
            ],
            new TestMachine(new PsciService(settings)).DeviceTree);
    }
}

using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

public sealed class DeviceTreeTests
{
    public static TheoryData<string, DeviceTreeNode> Refused => new()
    {
        { "\"\" is no path of a device tree node.", new("", []) },
        { "\"\" is no path of a device tree node.", new(null!, []) },
        { "\"/\" is no path of a device tree node.", new("/", []) },
        { "\"psci\" is no path of a device tree node.", new("psci", []) },
        { "\"/a//b\" is no path of a device tree node.", new("/a//b", []) },
        { "\"/*\" is no path of a device tree node.", new("/*", []) },
        { "\"/a*/b\" is no path of a device tree node.", new("/a*/b", []) },
        { "\"/a@\" is no path of a device tree node.", new("/a@", []) },
        { "\"/a b\" is no path of a device tree node.", new("/a b", []) },
        { "\"/abcdefghijklmnopqrstuvwxyz123456\" is no path of a device tree node.", new("/abcdefghijklmnopqrstuvwxyz123456", []) }, // 32 characters
        { "\"/1/2/3/4/5/6/7/8/9\" is no path of a device tree node.", new("/1/2/3/4/5/6/7/8/9", []) },
        { "/n: \"a b\" is no name of a property that a service can give.", new("/n", [DeviceTreeProperty.Empty("a b")]) },
        { "/n: \"\" is no name of a property that a service can give.", new("/n", [DeviceTreeProperty.Empty("")]) },
        { "/n: \"phandle\" is no name of a property that a service can give.", new("/n", [DeviceTreeProperty.Cells("phandle", 1)]) },
        { "/n: p has neither a value nor says that it is empty.", new("/n", [new("p", null!)]) },
        { "\"/cpus/cpu@*\" is no path of a device tree node.", new("/n", [DeviceTreeProperty.References("p", "/cpus/cpu@*")]) },
        { "/n: p is given by TREE already.", new("/n", [DeviceTreeProperty.Empty("p"), DeviceTreeProperty.Empty("p")]) },
        { "/n: properties: 65, at most 64.", new("/n", [.. Enumerable.Range(0, 65).Select(i => DeviceTreeProperty.Empty($"p{i}"))]) },
    };

    [Fact]
    public void Properties_are_values_in_the_tree_s_own_form()
    {
        Assert.Equal(new("compatible", new DeviceTreeValue.Data([.. "arm,psci-1.0\0arm,psci-0.2\0"u8])), DeviceTreeProperty.Strings("compatible", "arm,psci-1.0", "arm,psci-0.2"));
        Assert.Equal(new("cells", new DeviceTreeValue.Data([0x12, 0x34, 0x56, 0x78, 0, 0, 0, 9])), DeviceTreeProperty.Cells("cells", 0x1234_5678, 9));
        Assert.Equal(new("quiet", new DeviceTreeValue.Data([])), DeviceTreeProperty.Empty("quiet"));
        Assert.Equal(new("states", new DeviceTreeValue.References(["/a", "/b"])), DeviceTreeProperty.References("states", "/a", "/b"));
        Assert.Equal(new("method", new DeviceTreeValue.Conduit()), DeviceTreeProperty.Conduit("method"));
        Assert.NotEqual(DeviceTreeProperty.Cells("cells", 1), DeviceTreeProperty.Cells("cells", 2));
        Assert.Equal(
            new("/n", [DeviceTreeProperty.Cells("cells", 1), DeviceTreeProperty.Conduit("method")]),
            new DeviceTreeNode("/n", [DeviceTreeProperty.Cells("cells", 1), DeviceTreeProperty.Conduit("method")]));
    }

    [Fact]
    public void Nodes_of_all_services_stand_one_after_another()
    {
        var machine = new TestMachine(4, new TreeService("ONE", 0x8200_0000, machine => [new($"/cores-{machine.Cores.Count}", [DeviceTreeProperty.Empty("p")])]), new TreeService("TWO", 0x8200_0001, _ => [new("/cpus/cpu@*", [])]));
        Assert.Equal([new("/cores-4", [DeviceTreeProperty.Empty("p")]), new("/cpus/cpu@*", [])], machine.DeviceTree);
        Assert.Empty(machine.Failures);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_no_tree_can_hold_is_a_fault_of_its_service(string fault, DeviceTreeNode node)
    {
        var machine = new TestMachine(new TreeService("TREE", 0x8200_0000, _ => [new("/good", []), node]), new TreeService("OTHER", 0x8200_0001, _ => [new("/other", [])]));
        Assert.Equal([new("/other", [])], machine.DeviceTree);
        Assert.Equal(("TREE", "device tree", fault), (machine.LastFailure!.Service.Name, machine.LastFailure.During, machine.LastFailure.Exception.Message));
    }

    [Theory]
    [InlineData(65_533, 1, null)]
    [InlineData(65_534, 0, "Bytes of device tree nodes: 65537, at most 65536.")] // with the three of its names
    public void Its_bytes_are_counted(int bytes, int nodes, string? fault)
    {
        var machine = new TestMachine(new TreeService("TREE", 0x8200_0000, _ => [new("/n", [new("p", new DeviceTreeValue.Data([.. new byte[bytes]]))])]));
        Assert.Equal(nodes, machine.DeviceTree.Count);
        Assert.Equal(fault, machine.LastFailure?.Exception.Message);
    }

    [Fact]
    public void A_service_that_throws_adds_nothing()
    {
        var machine = new TestMachine(new TreeService("TREE", 0x8200_0000, _ => throw new InvalidOperationException("No tree today.")));
        Assert.Empty(machine.DeviceTree);
        Assert.Equal("No tree today.", machine.LastFailure!.Exception.Message);
    }

    [Fact]
    public void One_property_has_one_service()
    {
        var machine = new TestMachine(
            new TreeService("ONE", 0x8200_0000, _ => [new("/cpus/cpu@*", [DeviceTreeProperty.Strings("enable-method", "one")])]),
            new TreeService("TWO", 0x8200_0001, _ => [new("/cpus/cpu@*", [DeviceTreeProperty.Strings("enable-method", "two")])]));
        Assert.Equal([new("/cpus/cpu@*", [DeviceTreeProperty.Strings("enable-method", "one")])], machine.DeviceTree);
        Assert.Equal("/cpus/cpu@*: enable-method is given by ONE already.", machine.LastFailure!.Exception.Message);
    }

    [Fact]
    public void All_services_together_stay_below_the_limits()
    {
        ValueArray<DeviceTreeNode> nodes = [.. Enumerable.Range(0, 129).Select(i => new DeviceTreeNode($"/n{i}", []))];
        var machine = new TestMachine(new TreeService("ONE", 0x8200_0000, _ => nodes), new TreeService("TWO", 0x8200_0001, _ => nodes), new TreeService("LAST", 0x8200_0002, _ => [new("/last", [])]));
        Assert.Equal(130, machine.DeviceTree.Count);
        Assert.Equal("Device tree nodes: 258, at most 256.", machine.LastFailure!.Exception.Message);
    }

    private sealed class TreeService(string name, uint id, Func<MachineDescription, ValueArray<DeviceTreeNode>> nodes) : Service<TableState>, IDeviceTree
    {
        public override string Name => name;

        public override string Version => "0";

        public override FunctionTable<TableState> Functions { get; } = new()
        {
            { id, "ANY", (in Hypercall _) => Answer.Success },
        };

        public ValueArray<DeviceTreeNode> DeviceTree(MachineDescription machine) => nodes(machine);
    }
}

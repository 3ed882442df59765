using Google.Protobuf;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Loading;
using Hypercalls.Protos;
using Node = Hypercalls.Hosts.DeviceTree.DeviceTreeNode;
using WireNode = Hypercalls.Protos.DeviceTreeNode;

namespace Hypercalls.Tests.Client.Hosts.Loading;

public sealed class ServiceNodesTests
{
    public static TheoryData<string, WireNode> Refused => new()
    {
        { "\"\" is no path of a node", At("") },
        { "\"/\" is no path of a node", At("/") },
        { "\"psci\" is no path of a node", At("psci") },
        { "\"//psci\" is no path of a node", At("//psci") },
        { "\"/psci/\" is no path of a node", At("/psci/") },
        { "\"/*\" is no path of a node", At("/*") },
        { "\"/cpu*/more\" is no path of a node", At("/cpu*/more") },
        { "\"/a@\" is no path of a node", At("/a@") },
        { "\"/a@1@2\" is no path of a node", At("/a@1@2") },
        { "\"/a?b?\" is no path of a node", At("/a b\u001b") },
        { "\"/..%2f\" is no path of a node", At("/..%2f") },
        { "\"/abcdefghijklmnopqrstuvwxyz123456\" is no path of a node", At("/abcdefghijklmnopqrstuvwxyz123456") }, // 32 characters
        { "\"/1/2/3/4/5/6/7/8/9\" is no path of a node", At("/1/2/3/4/5/6/7/8/9") },
        { "/n has no place for a property named \"\"", At("/n", new DeviceTreeProperty { Data = ByteString.Empty }) },
        { "/n has no place for a property named \"a?b\"", At("/n", Data("a b", 1)) },
        { "/n has no place for a property named \"phandle\"", At("/n", Data("phandle", 1)) },
        { "/n has no place for a property named \"abcdefghijklmnopqrstuvwxyz123456\"", At("/n", Data("abcdefghijklmnopqrstuvwxyz123456", 1)) },
        { "/n: p has no value that this host knows", At("/n", new DeviceTreeProperty { Name = "p" }) },
        { "/n: p refers to /none, which does not exist", At("/n", References("p", "/none")) },
        { "/n: p refers to /cpus/cpu-map/none, which does not exist", At("/n", References("p", "/cpus/cpu-map/none")) },
        { "\"/cpus/cpu@*\" is no path of a node", At("/n", References("p", "/cpus/cpu@*")) },
        { "they have 65540 bytes, at most 65536", At("/n", Data("ab", 65536)) },
        { "/n has 65 properties, at most 64", At("/n", [.. Enumerable.Range(0, 65).Select(n => Data($"p{n}", 1))]) },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Names_what_it_refuses(string fault, WireNode node) =>
        Assert.Equal(
            $"The device tree nodes that services give are refused: {fault}.",
            Assert.Throws<HostException>(() => ServiceNodes.Add(new() { Root = Tree() }, [node], Conduit.Smc)).Message);

    [Fact]
    public void Refuses_more_nodes_than_a_welcome_may_have()
    {
        var nodes = Enumerable.Range(0, 257).Select(n => At($"/n{n}")).ToList();
        ServiceNodes.Add(new() { Root = Tree() }, nodes[1..], Conduit.Smc);
        Assert.EndsWith("257 nodes, at most 256.", Assert.Throws<HostException>(() => ServiceNodes.Add(new() { Root = Tree() }, nodes, Conduit.Smc)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Makes_nodes_and_replaces_properties()
    {
        var root = Tree();
        ServiceNodes.Add(
            new() { Root = root },
            [At("/firmware/sdei", Data("version", 3), new DeviceTreeProperty { Name = "quiet", Data = ByteString.Empty }), At("/cpus/cpu@0", Data("reg", 2)), At("/n@1,2/o")],
            Conduit.Smc);
        var sdei = root.Child("firmware")!.Child("sdei")!;
        Assert.Equal([7, 7, 7], sdei["version"]);
        Assert.Empty(sdei["quiet"]!);
        Assert.Equal([7, 7], root.Child("cpus")!.Child("cpu@0")!["reg"]);
        Assert.Equal([7], root.Child("cpus")!.Child("cpu@1")!["reg"]);
        Assert.Empty(root.Child("n@1,2")!.Child("o")!.Properties);
    }

    [Theory]
    [InlineData(Conduit.Smc, "smc\0")]
    [InlineData(Conduit.Hvc, "hvc\0")]
    public void Says_what_to_call_with(Conduit conduit, string expected)
    {
        var root = Tree();
        ServiceNodes.Add(new() { Root = root }, [At("/firmware/any", new DeviceTreeProperty { Name = "method", Conduit = new() })], conduit);
        Assert.Equal(System.Text.Encoding.ASCII.GetBytes(expected), root.Child("firmware")!.Child("any")!["method"]);
    }

    [Fact]
    public void A_pattern_stands_for_every_node_whose_name_begins_so_made_ones_too()
    {
        var root = Tree();
        ServiceNodes.Add(new() { Root = root }, [At("/cpus/cpu@*", Data("a", 1)), At("/c*", Data("b", 1)), At("/none/x*", Data("c", 1)), At("/cpus/cpu@2")], Conduit.Smc);
        Assert.Equal(["cpu@0", "cpu@1", "cpu@2"], root.Child("cpus")!.Children.Where(child => child["a"] is not null).Select(child => child.Name));
        Assert.Equal(["cpus"], root.Children.Where(child => child["b"] is not null).Select(child => child.Name));
        Assert.Null(root.Child("none"));
    }

    [Fact]
    public void References_are_phandles_old_or_allotted_above_all_others()
    {
        var root = Tree();
        ServiceNodes.Add(
            new() { Root = root },
            [At("/cpus/cpu@*", References("idle", "/idle/deep", "/cpus/cpu@1", "/idle/light", "/idle/deep")), At("/idle/deep"), At("/idle/light")],
            Conduit.Smc);
        var handles = root.Child("cpus")!.Child("cpu@0")!["idle"];
        Assert.Equal("00008007" + "00008006" + "00008008" + "00008007", Convert.ToHexString(handles!));
        Assert.Equal(handles, root.Child("cpus")!.Child("cpu@1")!["idle"]);
        Assert.Equal([0, 0, 0x80, 7], root.Child("idle")!.Child("deep")!["phandle"]);
        Assert.Equal([0, 0, 0x80, 8], root.Child("idle")!.Child("light")!["phandle"]);
        Assert.Null(root.Child("cpus")!.Child("cpu@0")!["phandle"]);
    }

    [Fact]
    public void Says_when_no_phandle_is_left()
    {
        var root = Tree();
        root.Child("cpus")!.Child("cpu@1")!.SetCell("phandle", 0xffff_fffe);
        Assert.EndsWith("no phandle is left.", Assert.Throws<HostException>(() => ServiceNodes.Add(new() { Root = root }, [At("/a", References("p", "/a"))], Conduit.Smc)).Message, StringComparison.Ordinal);
    }

    private static Node Tree()
    {
        var root = new Node("");
        var cpus = root.ChildOrNew("cpus");
        cpus.ChildOrNew("cpu-map");
        cpus.ChildOrNew("cpu@0")["reg"] = [7];
        cpus.ChildOrNew("cpu@1")["reg"] = [7];
        cpus.ChildOrNew("cpu@1").SetCell("phandle", 0x8006);
        return root;
    }

    private static WireNode At(string path, params DeviceTreeProperty[] properties) => new() { Path = path, Properties = { properties } };

    private static DeviceTreeProperty Data(string name, int sevens) => new() { Name = name, Data = ByteString.CopyFrom([.. Enumerable.Repeat((byte)7, sevens)]) };

    private static DeviceTreeProperty References(string name, params string[] paths) => new() { Name = name, References = new() { Paths = { paths } } };
}

using System.Text;
using Hypercalls.Hosts.DeviceTree;
using Hypercalls.Qemu.Loading;

namespace Hypercalls.Tests.Client.Qemu.Loading;

public sealed class GuestDeviceTreeTests
{
    [Fact]
    public void Tells_of_services_mailboxes_and_what_to_start_and_keeps_the_rest()
    {
        var root = Tree();
        GuestDeviceTree.Edit(new() { Root = root }, new() { Kernel = "", CommandLine = "quiet" }, Responder.DeviceTree, 0x5fe0_0000, 0x4800_0000, 0x4800_1234);
        Assert.Equal("arm,psci-1.0|arm,psci-0.2|", Text(root.Child("psci")!["compatible"]!));
        Assert.Equal("000000005fe000000000000000200000", Convert.ToHexStringLower(root.Child("reserved-memory")!.Child("hypercall-mailbox@5fe00000")!["reg"]!));
        Assert.Empty(root.Child("reserved-memory")!.Child("hypercall-mailbox@5fe00000")!["no-map"]!);
        var chosen = root.Child("chosen")!;
        Assert.Equal("quiet|", Text(chosen["bootargs"]!));
        Assert.Equal([1, 2, 3], chosen["rng-seed"]);
        Assert.Equal("0000000048000000", Convert.ToHexStringLower(chosen["linux,initrd-start"]!));
        Assert.Equal("0000000048001234", Convert.ToHexStringLower(chosen["linux,initrd-end"]!));
    }

    [Fact]
    public void Tells_of_no_initrd_where_there_is_none()
    {
        var root = Tree();
        GuestDeviceTree.Edit(new() { Root = root }, new() { Kernel = "" }, [], 0x5fe0_0000, 0x4800_0000, 0x4800_0000);
        Assert.Null(root.Child("chosen")!["linux,initrd-start"]);
    }

    [Fact]
    public void What_the_host_says_stands_whatever_services_give()
    {
        var root = Tree();
        GuestDeviceTree.Edit(
            new() { Root = root },
            new() { Kernel = "", CommandLine = "quiet" },
            [new() { Path = "/chosen", Properties = { new Hypercalls.Protos.DeviceTreeProperty { Name = "bootargs", Data = Google.Protobuf.ByteString.CopyFromUtf8("evil\0") } } }],
            0x5fe0_0000,
            0,
            0);
        Assert.Equal("quiet|", Text(root.Child("chosen")!["bootargs"]!));
    }

    private static DeviceTreeNode Tree()
    {
        var root = new DeviceTreeNode("");
        root.ChildOrNew("chosen")["rng-seed"] = [1, 2, 3];
        return root;
    }

    private static string Text(byte[] value) => Encoding.ASCII.GetString(value).Replace('\0', '|');
}

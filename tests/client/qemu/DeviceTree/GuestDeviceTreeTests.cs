using System.Text;
using Hypercalls.Protos;
using Hypercalls.Qemu.DeviceTree;
using Hypercalls.Qemu.Loading;

namespace Hypercalls.Tests.Client.Qemu.DeviceTree;

public sealed class GuestDeviceTreeTests
{
    [Fact]
    public void Tells_of_psci_mailboxes_and_what_to_start_and_keeps_the_rest()
    {
        var root = Tree();
        GuestDeviceTree.Edit(new() { Root = root }, new() { Kernel = "", CommandLine = "quiet" }, 0x5fe0_0000, 0x4800_0000, 0x4800_1234);
        Assert.Equal("arm,psci-1.0|arm,psci-0.2|", Text(root.Child("psci")!["compatible"]!));
        Assert.Equal("smc|", Text(root.Child("psci")!["method"]!));
        Assert.Null(root.Child("psci")!["cpu_on"]); // QEMU's own numbers, when it had any
        Assert.Equal(["psci|", "psci|"], root.Child("cpus")!.Children.Where(cpu => cpu.Name != "cpu-map").Select(cpu => Text(cpu["enable-method"]!)));
        Assert.Null(root.Child("cpus")!.Child("cpu-map")!["enable-method"]);
        Assert.Equal("000000005fe000000000000000200000", Convert.ToHexStringLower(root.Child("reserved-memory")!.Child("hypercall-mailbox@5fe00000")!["reg"]!));
        Assert.Empty(root.Child("reserved-memory")!.Child("hypercall-mailbox@5fe00000")!["no-map"]!);
        var chosen = root.Child("chosen")!;
        Assert.Equal("quiet|", Text(chosen["bootargs"]!));
        Assert.Equal([1, 2, 3], chosen["rng-seed"]);
        Assert.Equal("0000000048000000", Convert.ToHexStringLower(chosen["linux,initrd-start"]!));
        Assert.Equal("0000000048001234", Convert.ToHexStringLower(chosen["linux,initrd-end"]!));
        Assert.Null(root.Child("firmware"));
    }

    [Fact]
    public void Tells_of_sdei_and_hvc_when_asked_and_of_no_initrd_where_there_is_none()
    {
        var root = Tree();
        GuestDeviceTree.Edit(new() { Root = root }, new() { Kernel = "", Conduit = Conduit.Hvc, Sdei = true }, 0x5fe0_0000, 0x4800_0000, 0x4800_0000);
        Assert.Equal("hvc|", Text(root.Child("psci")!["method"]!));
        Assert.Equal("arm,sdei-1.0|", Text(root.Child("firmware")!.Child("sdei")!["compatible"]!));
        Assert.Equal("hvc|", Text(root.Child("firmware")!.Child("sdei")!["method"]!));
        Assert.Null(root.Child("chosen")!["linux,initrd-start"]);
    }

    private static DeviceTreeNode Tree()
    {
        var root = new DeviceTreeNode("");
        root.ChildOrNew("psci").SetCell("cpu_on", 0xc400_0003);
        var cpus = root.ChildOrNew("cpus");
        cpus.ChildOrNew("cpu-map");
        cpus.ChildOrNew("cpu@0");
        cpus.ChildOrNew("cpu@1");
        root.ChildOrNew("chosen")["rng-seed"] = [1, 2, 3];
        return root;
    }

    private static string Text(byte[] value) => Encoding.ASCII.GetString(value).Replace('\0', '|');
}

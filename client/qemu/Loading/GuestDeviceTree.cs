using Hypercalls.Hosts.DeviceTree;
using Hypercalls.Hosts.Loading;
using Hypercalls.Qemu.Monitor;
using WireNode = Hypercalls.Protos.DeviceTreeNode;

namespace Hypercalls.Qemu.Loading;

/// <summary>QEMU's device tree, edited into what the guest shall see: what services offer it, what it must leave alone, what to start.</summary>
internal static class GuestDeviceTree
{
    /// <summary>The initial RAM file system lies at [start, end); empty where there is none. What services give comes first: it changes nothing that the host says.</summary>
    public static void Edit(FlattenedDeviceTree tree, QemuOptions options, IReadOnlyList<WireNode> nodes, ulong mailboxArea, ulong initrdStart, ulong initrdEnd)
    {
        ServiceNodes.Add(tree, nodes, options.Conduit);
        var reserved = tree.Root.ChildOrNew("reserved-memory");
        reserved.SetCell("#address-cells", 2);
        reserved.SetCell("#size-cells", 2);
        reserved.SetEmpty("ranges");
        var mailbox = reserved.ChildOrNew($"hypercall-mailbox@{mailboxArea:x}");
        mailbox.SetLongs("reg", mailboxArea, MailboxLayout.AreaSize);
        mailbox.SetEmpty("no-map");
        var chosen = tree.Root.ChildOrNew("chosen");
        chosen.SetStrings("bootargs", options.CommandLine);
        if (initrdEnd > initrdStart)
        {
            chosen.SetLongs("linux,initrd-start", initrdStart);
            chosen.SetLongs("linux,initrd-end", initrdEnd);
        }
    }
}

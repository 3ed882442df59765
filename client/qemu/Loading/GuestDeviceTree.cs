using Hypercalls.Protos;
using Hypercalls.Qemu.DeviceTree;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Loading;

/// <summary>QEMU's device tree, edited into what the guest shall see: who answers its calls, what it must leave alone, what to start.</summary>
internal static class GuestDeviceTree
{
    /// <summary>The reference that a loader's initial RAM file system leaves, [start, end); empty where there is none.</summary>
    public static void Edit(FlattenedDeviceTree tree, QemuOptions options, ulong mailboxArea, ulong initrdStart, ulong initrdEnd)
    {
        var method = options.Conduit == Conduit.Hvc ? "hvc" : "smc";
        var psci = tree.Root.ChildOrNew("psci");
        psci.Properties.Clear();
        psci.SetStrings("compatible", "arm,psci-1.0", "arm,psci-0.2");
        psci.SetStrings("method", method);
        if (options.Sdei)
        {
            var sdei = tree.Root.ChildOrNew("firmware").ChildOrNew("sdei");
            sdei.SetStrings("compatible", "arm,sdei-1.0");
            sdei.SetStrings("method", method);
        }
        foreach (var cpu in tree.Root.ChildOrNew("cpus").Children.Where(node => node.Name.StartsWith("cpu@", StringComparison.Ordinal)))
        {
            cpu.SetStrings("enable-method", "psci");
        }
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

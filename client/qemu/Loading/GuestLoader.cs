using Hypercalls.Hosts;
using Hypercalls.Hosts.DeviceTree;
using Hypercalls.Hosts.Loading;
using Hypercalls.Hosts.Vcpus;
using WireNode = Hypercalls.Protos.DeviceTreeNode;

namespace Hypercalls.Qemu.Loading;

/// <summary>Puts kernel, initial RAM file system and QEMU's device tree, edited, into RAM, afresh before each boot. The mailboxes stay at the top.</summary>
internal sealed class GuestLoader
{
    private readonly QemuOptions _options;
    private readonly GuestRam _ram;
    private readonly GuestFiles _files;

    /// <summary>Reads the files; throws when one is missing, is no kernel, or does not fit.</summary>
    public GuestLoader(QemuOptions options, GuestRam ram)
    {
        _options = options;
        _ram = ram;
        _files = new(options, GuestRam.Base, ram.MailboxArea, ram.End - ram.MailboxArea);
    }

    public GuestKind Guest => _files.Guest;

    public CoreStart Start => _files.Start;

    /// <summary>Loads everything; RAM that nothing is loaded to keeps its contents unless clear is set.</summary>
    public void Load(bool clear, IReadOnlyList<WireNode> nodes)
    {
        // QEMU has just put its own tree at the start of RAM; clearing takes it along.
        if (!FlattenedDeviceTree.TryParse(_ram.Slice(GuestRam.Base, BootLayout.QemuDeviceTreeSize).ToArray(), out var tree))
        {
            throw new HostException("QEMU has left no device tree at the start of RAM: this version does not work with this host.");
        }
        if (clear)
        {
            _ram.Clear();
        }
        GuestDeviceTree.Edit(tree, _options, nodes, _ram.MailboxArea, _files.Initrd.Start, _files.Initrd.End);
        _files.Put(_ram, tree.ToBytes());
    }
}

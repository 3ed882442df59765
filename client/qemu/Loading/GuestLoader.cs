using Hypercalls.Qemu.DeviceTree;
using Hypercalls.Qemu.Vcpus;
using WireNode = Hypercalls.Protos.DeviceTreeNode;

namespace Hypercalls.Qemu.Loading;

/// <summary>Puts kernel, initial RAM file system and device tree into RAM, afresh before each boot.</summary>
internal sealed class GuestLoader
{
    private const ulong AppendixAlignment = 16;

    // Half of what a raw kernel has behind its end.
    private const int MostAppendix = 8 << 20;

    private readonly QemuOptions _options;
    private readonly GuestRam _ram;
    private readonly KernelImage _kernel;
    private readonly byte[] _initrd;
    private readonly BootLayout _layout;

    /// <summary>Reads the files; throws when one is missing, is no kernel, or does not fit.</summary>
    public GuestLoader(QemuOptions options, GuestRam ram)
    {
        _options = options;
        _ram = ram;
        _kernel = KernelImage.Load(options.Kernel, options.KernelIsRaw, options.KernelIsAArch32, ram.Size);
        if (options.KernelIsAArch32 && !_kernel.IsAArch32)
        {
            throw new QemuException($"{options.Kernel} is an arm64 Image: it does not start in AArch32.") { IsBadInput = true };
        }
        if (_kernel.IsAArch32 && options.ClientEl == 2)
        {
            throw new QemuException($"{options.Kernel} is an AArch32 kernel: this host starts it at EL1 only.") { IsBadInput = true };
        }
        Guest = new(options.ClientEl, _kernel.IsAArch32);
        _initrd = [.. options.Initrd is null ? [] : KernelImage.Read(options.Initrd, "initrd", ram.Size), .. options.InitrdAppendix.Span];
        _layout = BootLayout.For(_kernel, (ulong)_initrd.Length, GuestRam.Base, ram.MailboxArea);
    }

    public GuestKind Guest { get; }

    /// <summary>The boot core at the kernel's first instruction: the device tree in x0 or in r2, and then r0 zero and r1 no machine type.</summary>
    public CoreStart Start => Guest.IsAArch32
        ? new(_layout.Kernel, 0, default, Commit: 0) { R1 = uint.MaxValue, R2 = _layout.DeviceTree }
        : new(_layout.Kernel, _layout.DeviceTree, default, Commit: 0);

    /// <summary>Loads everything; RAM that nothing is loaded to keeps its contents unless clear is set.</summary>
    public void Load(bool clear, IReadOnlyList<WireNode> nodes)
    {
        // QEMU has just put its own tree at the start of RAM; clearing takes it along.
        if (!FlattenedDeviceTree.TryParse(_ram.Slice(GuestRam.Base, BootLayout.QemuDeviceTreeSize).ToArray(), out var tree))
        {
            throw new QemuException("QEMU has left no device tree at the start of RAM: this version does not work with this host.");
        }
        if (clear)
        {
            _ram.Clear();
        }
        var initrdEnd = _layout.Initrd + (ulong)_initrd.Length;
        GuestDeviceTree.Edit(tree, _options, nodes, _ram.MailboxArea, _layout.Initrd, initrdEnd);
        var blob = tree.ToBytes();
        if ((ulong)blob.Length > BootLayout.DeviceTreeSize)
        {
            throw new QemuException($"The device tree has {blob.Length} bytes, more than the kernel takes: the command line, or what services give, is too long.");
        }
        Put(_layout.Kernel, _kernel.Bytes);
        if (_options.KernelAppendix is { } appendix)
        {
            PutBehindKernel(appendix);
        }
        Put(_layout.DeviceTree, blob);
        Put(_layout.Initrd, _initrd);
    }

    private void PutBehindKernel(Func<ulong, ReadOnlyMemory<byte>> appendix)
    {
        var address = (_layout.Kernel + (ulong)_kernel.Bytes.Length + AppendixAlignment - 1) & ~(AppendixAlignment - 1);
        var bytes = appendix(address);
        if (bytes.Length > MostAppendix)
        {
            throw new QemuException($"{bytes.Length >> 20} MiB behind the kernel: there is room for {MostAppendix >> 20}.") { IsBadInput = true };
        }
        Put(address, bytes.Span);
    }

    private void Put(ulong address, ReadOnlySpan<byte> bytes) => bytes.CopyTo(_ram.Slice(address, bytes.Length));
}

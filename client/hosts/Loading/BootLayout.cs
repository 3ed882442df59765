namespace Hypercalls.Hosts.Loading;

/// <summary>Where things lie in RAM: room for a device tree of the emulator's lowest, then kernel, the guest's device tree, initial RAM file system; what the host keeps at the top.</summary>
internal sealed record BootLayout(ulong Kernel, ulong DeviceTree, ulong Initrd)
{
    public const ulong Alignment = 2 << 20;

    /// <summary>QEMU writes its device tree to the first byte of RAM at each reset, at most this long.</summary>
    public const int QemuDeviceTreeSize = 1 << 20;

    /// <summary>Of the edited device tree; the kernel's own limit.</summary>
    public const ulong DeviceTreeSize = 2 << 20;

    /// <summary>The lowest place of a kernel.</summary>
    public const ulong KernelOffset = 4 << 20;

    private const ulong Page = 4096;

    /// <summary>Lays out RAM from start up to end; throws when it is too small. Behind the end the host keeps some for itself.</summary>
    public static BootLayout For(KernelImage kernel, ulong initrdSize, ulong start, ulong end, ulong kept = 0)
    {
        var image = start + KernelOffset + kernel.TextOffset;
        var room = end - image;
        var tail = DeviceTreeSize + Alignment + initrdSize;
        if (end <= image || kernel.Size > room || tail > room - kernel.Size)
        {
            var needed = (KernelOffset + kernel.TextOffset + kernel.Size + tail + kept + (1 << 20) - 1) >> 20;
            throw new HostException($"Kernel and initrd do not fit into RAM: they need {needed} MiB and what the guest itself uses.");
        }
        var deviceTree = AlignUp(image + kernel.Size, Alignment);
        return new(image, deviceTree, AlignUp(deviceTree + DeviceTreeSize, Page));
    }

    private static ulong AlignUp(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);
}

using Hypercalls.Hosts.Vcpus;

namespace Hypercalls.Hosts.Loading;

/// <summary>Kernel and initial RAM file system, read once, and where they go; put into RAM afresh before each boot.</summary>
internal sealed class GuestFiles
{
    private const ulong AppendixAlignment = 16;

    // Half of what a raw kernel has behind its end.
    private const int MostAppendix = 8 << 20;

    private readonly HostOptions _options;
    private readonly KernelImage _kernel;
    private readonly byte[] _initrd;
    private readonly BootLayout _layout;

    /// <summary>Reads the files; throws when one is missing, is no kernel, or does not fit into RAM from start to end, of which the host keeps so much behind the end.</summary>
    public GuestFiles(HostOptions options, ulong start, ulong end, ulong kept = 0)
    {
        _options = options;
        var size = end - start + kept;
        _kernel = KernelImage.Load(options.Kernel, options.KernelIsRaw, options.KernelIsAArch32, size);
        if (options.KernelIsAArch32 && !_kernel.IsAArch32)
        {
            throw new HostException($"{options.Kernel} is an arm64 Image: it does not start in AArch32.") { IsBadInput = true };
        }
        if (_kernel.IsAArch32 && options.ClientEl == 2)
        {
            throw new HostException($"{options.Kernel} is an AArch32 kernel: this host starts it at EL1 only.") { IsBadInput = true };
        }
        Guest = new(options.ClientEl, _kernel.IsAArch32);
        _initrd = [.. options.Initrd is null ? [] : KernelImage.Read(options.Initrd, "initrd", size), .. options.InitrdAppendix.Span];
        _layout = BootLayout.For(_kernel, (ulong)_initrd.Length, start, end, kept);
    }

    public GuestKind Guest { get; }

    /// <summary>The boot core at the kernel's first instruction: the device tree in x0 or in r2, and then r0 zero and r1 no machine type.</summary>
    public CoreStart Start => Guest.IsAArch32
        ? new(_layout.Kernel, 0, default, Commit: 0) { R1 = uint.MaxValue, R2 = _layout.DeviceTree }
        : new(_layout.Kernel, _layout.DeviceTree, default, Commit: 0);

    /// <summary>The initial RAM file system lies there; an empty range where there is none.</summary>
    public (ulong Start, ulong End) Initrd => (_layout.Initrd, _layout.Initrd + (ulong)_initrd.Length);

    /// <summary>Puts everything into RAM, with this device tree.</summary>
    public void Put(IGuestMemory memory, ReadOnlySpan<byte> deviceTree)
    {
        if ((ulong)deviceTree.Length > BootLayout.DeviceTreeSize)
        {
            throw new HostException($"The device tree has {deviceTree.Length} bytes, more than the kernel takes: the command line, or what services give, is too long.");
        }
        memory.Write(_layout.Kernel, _kernel.Bytes);
        if (_options.KernelAppendix is { } appendix)
        {
            PutBehindKernel(memory, appendix);
        }
        memory.Write(_layout.DeviceTree, deviceTree);
        memory.Write(_layout.Initrd, _initrd);
    }

    private void PutBehindKernel(IGuestMemory memory, Func<ulong, ReadOnlyMemory<byte>> appendix)
    {
        var address = (_layout.Kernel + (ulong)_kernel.Bytes.Length + AppendixAlignment - 1) & ~(AppendixAlignment - 1);
        var bytes = appendix(address);
        if (bytes.Length > MostAppendix)
        {
            throw new HostException($"{bytes.Length >> 20} MiB behind the kernel: there is room for {MostAppendix >> 20}.") { IsBadInput = true };
        }
        memory.Write(address, bytes.Span);
    }
}

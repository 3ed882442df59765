using Hypercalls.Protos;

namespace Hypercalls.Hosts;

/// <summary>What guest to run, whatever runs it.</summary>
public abstract record HostOptions
{
    /// <summary>Path of an arm64 Image, gzip-compressed or not, or of an AArch32 zImage.</summary>
    public required string Kernel { get; init; }

    /// <summary>The kernel is any file whose first byte is its first instruction, loaded at a multiple of 2 MiB; no Image header is looked for.</summary>
    public bool KernelIsRaw { get; init; }

    /// <summary>The raw kernel starts in AArch32; any other says so itself.</summary>
    public bool KernelIsAArch32 { get; init; }

    /// <summary>Asked for each time the guest is loaded, with the address that it goes to: what lies behind a raw kernel, at the next multiple of 16 bytes. At most 8 MiB.</summary>
    public Func<ulong, ReadOnlyMemory<byte>>? KernelAppendix { get; init; }

    /// <summary>Path of an initial RAM file system.</summary>
    public string? Initrd { get; init; }

    /// <summary>Put behind the initial RAM file system: one more archive, which the kernel unpacks over it.</summary>
    public ReadOnlyMemory<byte> InitrdAppendix { get; init; }

    /// <summary>The kernel's command line.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>1 and above; how many, the host says.</summary>
    public int Cores { get; init; } = 2;

    public int MemoryMiB { get; init; } = 512;

    /// <summary>The exception level of the guest: 1, or 2, where the guest has EL2 and HVC to itself and calls by SMC alone.</summary>
    public uint ClientEl { get; init; } = 1;

    /// <summary>What the device tree tells the guest to call with; the other conduit works too, but at EL2.</summary>
    public Conduit Conduit { get; init; } = Conduit.Smc;

    /// <summary>Receives what the guest prints.</summary>
    public Stream Console { get; init; } = Stream.Null;

    /// <summary>Receives remarks for a person: refused answers, late kicks. Called from vCPU threads.</summary>
    public Action<string>? Log { get; init; }
}

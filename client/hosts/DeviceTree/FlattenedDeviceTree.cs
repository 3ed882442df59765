namespace Hypercalls.Hosts.DeviceTree;

/// <summary>A device tree out of and into its flattened form (Devicetree Specification, Flattened Devicetree (DTB) Format), version 17.</summary>
internal sealed class FlattenedDeviceTree
{
    public const uint Magic = 0xd00dfeed;
    public const uint Version = 17;
    public const uint LastCompatibleVersion = 16;
    public const int HeaderSize = 40;
    public const int ReservationSize = 16;

    public const uint BeginNode = 1;
    public const uint EndNode = 2;
    public const uint Property = 3;
    public const uint Nop = 4;
    public const uint End = 9;

    public required DeviceTreeNode Root { get; init; }

    /// <summary>The memory reservation block: address and size.</summary>
    public List<(ulong Address, ulong Size)> Reservations { get; } = [];

    /// <summary>Physical ID of the boot CPU.</summary>
    public uint BootCpu { get; set; }

    /// <summary>Reads a blob; bytes behind its own total size are ignored. False when anything in it points outside or does not nest.</summary>
    public static bool TryParse(ReadOnlySpan<byte> blob, out FlattenedDeviceTree tree) => new DeviceTreeReader(blob).TryRead(out tree);

    public byte[] ToBytes() => new DeviceTreeWriter().Write(this);
}

using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Hypercalls.Hosts.DeviceTree;

/// <summary>Reads a flattened device tree; nothing in it is trusted. It mirrors <see cref="DeviceTreeWriter"/>.</summary>
internal ref struct DeviceTreeReader(ReadOnlySpan<byte> blob)
{
    private const int DeepestNesting = 64;

    private readonly ReadOnlySpan<byte> _blob = blob;
    private ReadOnlySpan<byte> _structure;
    private ReadOnlySpan<byte> _strings;
    private int _position;

    public bool TryRead(out FlattenedDeviceTree tree)
    {
        tree = null!;
        if (!TryHeader(out var reservations, out var bootCpu) || !TryNodes(out var root))
        {
            return false;
        }
        tree = new() { Root = root, BootCpu = bootCpu };
        return TryReservations(reservations, tree.Reservations);
    }

    private bool TryHeader(out ReadOnlySpan<byte> reservations, out uint bootCpu)
    {
        reservations = default;
        bootCpu = 0;
        if (_blob.Length < FlattenedDeviceTree.HeaderSize || Header(0) != FlattenedDeviceTree.Magic)
        {
            return false;
        }
        var total = Header(4);
        if (total > (uint)_blob.Length
            || Header(20) < FlattenedDeviceTree.Version
            || Header(24) > FlattenedDeviceTree.Version
            || !TrySlice(total, Header(8), Header(36), out _structure)
            || !TrySlice(total, Header(12), Header(32), out _strings)
            || Header(16) > total)
        {
            return false;
        }
        reservations = _blob[(int)Header(16)..(int)total];
        bootCpu = Header(28);
        return true;
    }

    private readonly uint Header(int offset) => BinaryPrimitives.ReadUInt32BigEndian(_blob[offset..]);

    private readonly bool TrySlice(uint total, uint offset, uint size, out ReadOnlySpan<byte> slice)
    {
        slice = default;
        if (offset < FlattenedDeviceTree.HeaderSize || offset > total || size > total - offset)
        {
            return false;
        }
        slice = _blob.Slice((int)offset, (int)size);
        return true;
    }

    private static bool TryReservations(ReadOnlySpan<byte> block, List<(ulong Address, ulong Size)> reservations)
    {
        for (; block.Length >= FlattenedDeviceTree.ReservationSize; block = block[FlattenedDeviceTree.ReservationSize..])
        {
            var entry = (BinaryPrimitives.ReadUInt64BigEndian(block), BinaryPrimitives.ReadUInt64BigEndian(block[8..]));
            if (entry is (0, 0))
            {
                return true;
            }
            reservations.Add(entry);
        }
        return false;
    }

    private bool TryNodes([NotNullWhen(true)] out DeviceTreeNode? root)
    {
        root = null;
        var open = new Stack<DeviceTreeNode>();
        while (TryCell(out var token))
        {
            switch (token)
            {
                case FlattenedDeviceTree.BeginNode:
                    if (open.Count == DeepestNesting || (root is not null && open.Count == 0) || !TryName(out var name))
                    {
                        return false;
                    }
                    var node = new DeviceTreeNode(name);
                    if (open.TryPeek(out var parent))
                    {
                        parent.Children.Add(node);
                    }
                    root ??= node;
                    open.Push(node);
                    break;
                case FlattenedDeviceTree.EndNode:
                    if (!open.TryPop(out _))
                    {
                        return false;
                    }
                    break;
                case FlattenedDeviceTree.Property:
                    if (!open.TryPeek(out var owner) || !TryProperty(out var property))
                    {
                        return false;
                    }
                    owner.Properties.Add(property);
                    break;
                case FlattenedDeviceTree.Nop:
                    break;
                case FlattenedDeviceTree.End:
                    return root is not null && open.Count == 0;
                default:
                    return false;
            }
        }
        return false;
    }

    private bool TryCell(out uint cell)
    {
        cell = 0;
        if (_structure.Length - _position < sizeof(uint))
        {
            return false;
        }
        cell = BinaryPrimitives.ReadUInt32BigEndian(_structure[_position..]);
        _position += sizeof(uint);
        return true;
    }

    private bool TryName(out string name)
    {
        if (!TryString(_structure[_position..], out name, out var length))
        {
            return false;
        }
        return TrySkip(length + 1);
    }

    private bool TryProperty(out KeyValuePair<string, byte[]> property)
    {
        property = default;
        if (!TryCell(out var size) || !TryCell(out var nameOffset)
            || nameOffset > (uint)_strings.Length || !TryString(_strings[(int)nameOffset..], out var name, out _)
            || size > (uint)(_structure.Length - _position))
        {
            return false;
        }
        property = new(name, _structure.Slice(_position, (int)size).ToArray());
        return TrySkip((int)size);
    }

    private static bool TryString(ReadOnlySpan<byte> bytes, out string text, out int length)
    {
        length = bytes.IndexOf((byte)0);
        text = length < 0 ? "" : Encoding.Latin1.GetString(bytes[..length]);
        return length >= 0;
    }

    // Tokens are aligned to cells; the last one's padding may be missing from a hostile blob only.
    private bool TrySkip(int size)
    {
        var next = _position + ((size + 3) & ~3);
        if (next > _structure.Length)
        {
            return false;
        }
        _position = next;
        return true;
    }
}

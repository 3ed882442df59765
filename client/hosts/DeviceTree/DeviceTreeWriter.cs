using System.Buffers.Binary;
using System.Text;

namespace Hypercalls.Hosts.DeviceTree;

/// <summary>Writes a flattened device tree. It mirrors <see cref="DeviceTreeReader"/>.</summary>
internal sealed class DeviceTreeWriter
{
    private readonly List<byte> _structure = [];
    private readonly List<byte> _strings = [];
    private readonly Dictionary<string, uint> _offsets = [];

    public byte[] Write(FlattenedDeviceTree tree)
    {
        WriteNode(tree.Root);
        WriteCell(_structure, FlattenedDeviceTree.End);

        var reservations = FlattenedDeviceTree.HeaderSize;
        var structure = reservations + ((tree.Reservations.Count + 1) * FlattenedDeviceTree.ReservationSize);
        var strings = structure + _structure.Count;
        var blob = new List<byte>();
        foreach (var field in (ReadOnlySpan<int>)
        [
            unchecked((int)FlattenedDeviceTree.Magic), strings + _strings.Count, structure, strings, reservations,
            (int)FlattenedDeviceTree.Version, (int)FlattenedDeviceTree.LastCompatibleVersion, (int)tree.BootCpu,
            _strings.Count, _structure.Count,
        ])
        {
            WriteCell(blob, (uint)field);
        }
        foreach (var (address, size) in tree.Reservations.Append((0ul, 0ul)))
        {
            WriteLong(blob, address);
            WriteLong(blob, size);
        }
        return [.. blob, .. _structure, .. _strings];
    }

    private void WriteNode(DeviceTreeNode node)
    {
        WriteCell(_structure, FlattenedDeviceTree.BeginNode);
        _structure.AddRange(Encoding.Latin1.GetBytes(node.Name + '\0'));
        Align();
        foreach (var (name, value) in node.Properties)
        {
            WriteCell(_structure, FlattenedDeviceTree.Property);
            WriteCell(_structure, (uint)value.Length);
            WriteCell(_structure, StringOffset(name));
            _structure.AddRange(value);
            Align();
        }
        foreach (var child in node.Children)
        {
            WriteNode(child);
        }
        WriteCell(_structure, FlattenedDeviceTree.EndNode);
    }

    private uint StringOffset(string name)
    {
        if (!_offsets.TryGetValue(name, out var offset))
        {
            offset = (uint)_strings.Count;
            _offsets.Add(name, offset);
            _strings.AddRange(Encoding.Latin1.GetBytes(name + '\0'));
        }
        return offset;
    }

    private void Align()
    {
        while (_structure.Count % sizeof(uint) != 0)
        {
            _structure.Add(0);
        }
    }

    private static void WriteCell(List<byte> bytes, uint value)
    {
        Span<byte> cell = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(cell, value);
        bytes.AddRange(cell);
    }

    private static void WriteLong(List<byte> bytes, ulong value)
    {
        Span<byte> cells = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(cells, value);
        bytes.AddRange(cells);
    }
}

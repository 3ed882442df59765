using System.Buffers.Binary;
using System.Text;

namespace Hypercalls.Hosts.DeviceTree;

/// <summary>A node of a device tree (Devicetree Specification, The Devicetree): its properties and children in their order.</summary>
internal sealed class DeviceTreeNode(string name)
{
    public string Name { get; } = name;

    public List<KeyValuePair<string, byte[]>> Properties { get; } = [];

    public List<DeviceTreeNode> Children { get; } = [];

    /// <summary>The value of a property, null where the node has none of that name.</summary>
    public byte[]? this[string property]
    {
        get => Properties.Find(p => p.Key == property).Value;
        set
        {
            var index = Properties.FindIndex(p => p.Key == property);
            if (value is null)
            {
                Properties.RemoveAll(p => p.Key == property);
            }
            else if (index < 0)
            {
                Properties.Add(new(property, value));
            }
            else
            {
                Properties[index] = new(property, value);
            }
        }
    }

    public DeviceTreeNode? Child(string name) => Children.Find(child => child.Name == name);

    /// <summary>The child of that name, made where there is none.</summary>
    public DeviceTreeNode ChildOrNew(string name)
    {
        if (Child(name) is { } child)
        {
            return child;
        }
        child = new(name);
        Children.Add(child);
        return child;
    }

    /// <summary>One or more strings, each with its terminator.</summary>
    public void SetStrings(string property, params string[] values) => this[property] = Encoding.UTF8.GetBytes(string.Concat(values.Select(value => value + '\0')));

    public void SetCell(string property, uint value)
    {
        var cell = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(cell, value);
        this[property] = cell;
    }

    /// <summary>Pairs of cells.</summary>
    public void SetLongs(string property, params ulong[] values)
    {
        var cells = new byte[values.Length * sizeof(ulong)];
        for (var n = 0; n < values.Length; n++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(cells.AsSpan(n * sizeof(ulong)), values[n]);
        }
        this[property] = cells;
    }

    public void SetEmpty(string property) => this[property] = [];
}

using System.Buffers.Binary;
using System.Text;

namespace Hypercalls.Sdk;

/// <summary>A node that a service adds to a guest's device tree, or properties for a node that is there (Devicetree Specification, The Devicetree).</summary>
/// <param name="Path">From the root, such as /firmware/sdei: at most 8 parts. A last part that ends in * stands for every node there whose name begins so: /cpus/cpu@*.</param>
/// <param name="Properties">At most 64; one that is there already is replaced.</param>
public sealed record DeviceTreeNode(string Path, ValueArray<DeviceTreeProperty> Properties);

/// <summary>A property of a node.</summary>
/// <param name="Name">1 to 31 characters; phandle is the host's own.</param>
/// <param name="Value">What it holds.</param>
public sealed record DeviceTreeProperty(string Name, DeviceTreeValue Value)
{
    /// <summary>One string or several, each with its terminator.</summary>
    /// <param name="name">Of the property.</param>
    /// <param name="values">Without zeros.</param>
    /// <returns>The property.</returns>
    public static DeviceTreeProperty Strings(string name, params ReadOnlySpan<string> values)
    {
        var bytes = new List<byte>();
        foreach (var value in values)
        {
            bytes.AddRange(Encoding.UTF8.GetBytes(value));
            bytes.Add(0);
        }

        return new(name, new DeviceTreeValue.Data([.. bytes]));
    }

    /// <summary>Cells of 32 bits, big-endian as in every tree.</summary>
    /// <param name="name">Of the property.</param>
    /// <param name="values">Any number.</param>
    /// <returns>The property.</returns>
    public static DeviceTreeProperty Cells(string name, params ReadOnlySpan<uint> values)
    {
        var bytes = new byte[values.Length * sizeof(uint)];
        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(i * sizeof(uint)), values[i]);
        }

        return new(name, new DeviceTreeValue.Data(ValueArray.Of<byte>(bytes)));
    }

    /// <summary>A property whose presence says all.</summary>
    /// <param name="name">Of the property.</param>
    /// <returns>The property.</returns>
    public static DeviceTreeProperty Empty(string name) => new(name, new DeviceTreeValue.Data([]));

    /// <summary>References to other nodes, as their phandles.</summary>
    /// <param name="name">Of the property.</param>
    /// <param name="paths">Of nodes that a service adds or that the host has; without *.</param>
    /// <returns>The property.</returns>
    public static DeviceTreeProperty References(string name, params ReadOnlySpan<string> paths) => new(name, new DeviceTreeValue.References(ValueArray.Of(paths)));

    /// <summary>The string smc or hvc: what this host tells its guest to call with.</summary>
    /// <param name="name">Of the property: method.</param>
    /// <returns>The property.</returns>
    public static DeviceTreeProperty Conduit(string name) => new(name, new DeviceTreeValue.Conduit());
}

/// <summary>What a property holds. A closed family.</summary>
public abstract record DeviceTreeValue
{
    private DeviceTreeValue()
    {
    }

    /// <summary>Bytes as they are.</summary>
    /// <param name="Bytes">None: a property without a value.</param>
    public sealed record Data(ValueArray<byte> Bytes) : DeviceTreeValue;

    /// <summary>One cell for each node: its phandle.</summary>
    /// <param name="Paths">Of the nodes.</param>
    public sealed record References(ValueArray<string> Paths) : DeviceTreeValue;

    /// <summary>The conduit as a string.</summary>
    public sealed record Conduit : DeviceTreeValue;
}

using System.Text;

namespace Hypercalls.Sdk;

/// <summary>What nodes must look like to be put into a tree (Devicetree Specification, Node Names; Property Names). Nodes that do not are a fault of their service.</summary>
internal sealed class DeviceTreeRules
{
    private const int MostNodes = 256;
    private const int MostProperties = 64;
    private const int MostBytes = 64 * 1024;
    private const int DeepestPath = 8;
    private const int LongestName = 31;

    private readonly Dictionary<(string Path, string Property), Service> _given = [];
    private int _nodes;
    private int _bytes;

    /// <summary>Counts the nodes of one more service, or none of them.</summary>
    /// <exception cref="FormatException">Says what is wrong.</exception>
    public void Add(Service service, ValueArray<DeviceTreeNode> nodes)
    {
        var bytes = 0;
        var given = new HashSet<(string, string)>();
        foreach (var node in nodes)
        {
            CheckPath(node.Path, mayBePattern: true);
            Limit($"{node.Path}: properties", node.Properties.Count, MostProperties);
            bytes += Encoding.UTF8.GetByteCount(node.Path);
            foreach (var property in node.Properties)
            {
                var key = (node.Path, property.Name);
                CheckProperty(node.Path, property);
                if (_given.TryGetValue(key, out var other) || !given.Add(key))
                {
                    throw new FormatException($"{node.Path}: {property.Name} is given by {(other ?? service).Name} already.");
                }

                bytes += property.Name.Length + Size(property.Value);
            }

            // Early: a service that gives without end must not make the count pass its own end.
            Limit("Bytes of device tree nodes", (long)_bytes + bytes, MostBytes);
        }

        Limit("Device tree nodes", (long)_nodes + nodes.Count, MostNodes);
        _nodes += nodes.Count;
        _bytes += bytes;
        foreach (var key in given)
        {
            _given.Add(key, service);
        }
    }

    private static void CheckProperty(string path, DeviceTreeProperty property)
    {
        if (property.Name is null || !IsName(property.Name, ",._+?#-") || property.Name is "phandle" or "linux,phandle")
        {
            throw new FormatException($"{path}: \"{property.Name}\" is no name of a property that a service can give.");
        }

        switch (property.Value)
        {
            case DeviceTreeValue.References references:
                foreach (var referred in references.Paths)
                {
                    CheckPath(referred, mayBePattern: false);
                }

                break;
            case null:
                throw new FormatException($"{path}: {property.Name} has neither a value nor says that it is empty.");
        }
    }

    private static void CheckPath(string path, bool mayBePattern)
    {
        var parts = path is ['/', ..] ? path[1..].Split('/') : [];
        for (var i = 0; i < parts.Length && parts.Length <= DeepestPath; i++)
        {
            var isPattern = mayBePattern && i == parts.Length - 1 && parts[i] is [_, .., '*'];
            var name = (isPattern ? parts[i][..^1] : parts[i]).Split('@');
            if (name.Length > 2 || !IsName(name[0], ",._+-") || (name.Length == 2 && !(isPattern && name[1].Length == 0) && !IsName(name[1], ",._+-")))
            {
                break;
            }

            if (i == parts.Length - 1)
            {
                return;
            }
        }

        throw new FormatException($"\"{path}\" is no path of a device tree node.");
    }

    private static bool IsName(string name, string others) =>
        name.Length is > 0 and <= LongestName && name.All(letter => char.IsAsciiLetterOrDigit(letter) || others.Contains(letter));

    private static int Size(DeviceTreeValue value) => value switch
    {
        DeviceTreeValue.Data data => data.Bytes.Count,
        DeviceTreeValue.References references => references.Paths.Sum(path => path.Length),
        _ => 0,
    };

    private static void Limit(string what, long count, int most)
    {
        if (count > most)
        {
            throw new FormatException($"{what}: {count}, at most {most}.");
        }
    }
}

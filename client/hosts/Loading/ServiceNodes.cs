using System.Buffers.Binary;
using Hypercalls.Hosts.DeviceTree;
using Hypercalls.Protos;
using Node = Hypercalls.Hosts.DeviceTree.DeviceTreeNode;
using WireNode = Hypercalls.Protos.DeviceTreeNode;

namespace Hypercalls.Hosts.Loading;

/// <summary>Nodes that services want the guest to find, put into its tree. They came over the wire: what no tree can hold is refused with a sentence.</summary>
internal sealed class ServiceNodes
{
    private const int MostNodes = 256;
    private const int MostProperties = 64;
    private const int MostBytes = 64 * 1024;
    private const int DeepestPath = 8;
    private const int LongestName = 31;

    private readonly Node _root;
    private readonly string _conduit;
    private uint _lastHandle;

    private ServiceNodes(Node root, string conduit)
    {
        _root = root;
        _conduit = conduit;
        _lastHandle = HighestHandle(root);
    }

    /// <summary>Adds the nodes, replaces properties that are there, allots phandles to nodes that are referred to.</summary>
    /// <exception cref="HostException">A node, property or reference that cannot be, named.</exception>
    public static void Add(FlattenedDeviceTree tree, IReadOnlyList<WireNode> nodes, Conduit conduit)
    {
        CheckSize(nodes);
        var services = new ServiceNodes(tree.Root, conduit == Conduit.Hvc ? "hvc" : "smc");
        // All of them first: patterns and references reach nodes that stand later in the list.
        foreach (var node in nodes.Where(node => !IsPattern(node.Path)))
        {
            services.Make(node.Path);
        }
        foreach (var node in nodes)
        {
            services.Set(node);
        }
    }

    private static void CheckSize(IReadOnlyList<WireNode> nodes)
    {
        if (nodes.Count > MostNodes)
        {
            throw Refused($"{nodes.Count} nodes, at most {MostNodes}");
        }
        long bytes = 0;
        foreach (var node in nodes)
        {
            CheckPath(node.Path, IsPattern(node.Path));
            if (node.Properties.Count > MostProperties)
            {
                throw Refused($"{node.Path} has {node.Properties.Count} properties, at most {MostProperties}");
            }
            bytes += node.Path.Length + node.Properties.Sum(property => property.Name.Length + property.Data.Length + (property.References?.Paths.Sum(path => path.Length) ?? 0));
        }
        if (bytes > MostBytes)
        {
            throw Refused($"they have {bytes} bytes, at most {MostBytes}");
        }
    }

    private void Make(string path)
    {
        var node = _root;
        foreach (var part in path[1..].Split('/'))
        {
            node = node.ChildOrNew(part);
        }
    }

    private void Set(WireNode from)
    {
        var targets = IsPattern(from.Path) ? Matching(from.Path[..^1]) : [Find(from.Path)!];
        foreach (var property in from.Properties)
        {
            if (!IsName(property.Name, ",._+?#-") || property.Name is "phandle" or "linux,phandle")
            {
                throw Refused($"{from.Path} has no place for a property named \"{Printable(property.Name)}\"");
            }
            var value = Value(from.Path, property);
            foreach (var target in targets)
            {
                target[property.Name] = value;
            }
        }
    }

    private byte[] Value(string path, DeviceTreeProperty property)
    {
        switch (property.ValueCase)
        {
            case DeviceTreeProperty.ValueOneofCase.Data:
                return property.Data.ToByteArray();
            case DeviceTreeProperty.ValueOneofCase.Conduit:
                return [.. _conduit.Select(letter => (byte)letter), 0];
            case DeviceTreeProperty.ValueOneofCase.References:
                var cells = new byte[property.References.Paths.Count * sizeof(uint)];
                for (var n = 0; n < property.References.Paths.Count; n++)
                {
                    var referred = property.References.Paths[n];
                    CheckPath(referred, isPattern: false);
                    var handle = Handle(Find(referred) ?? throw Refused($"{path}: {property.Name} refers to {referred}, which does not exist"));
                    BinaryPrimitives.WriteUInt32BigEndian(cells.AsSpan(n * sizeof(uint)), handle);
                }
                return cells;
            default:
                throw Refused($"{path}: {property.Name} has no value that this host knows");
        }
    }

    private Node? Find(string path)
    {
        var node = (Node?)_root;
        foreach (var part in path[1..].Split('/'))
        {
            node = node?.Child(part);
        }
        return node;
    }

    private List<Node> Matching(string prefix)
    {
        var slash = prefix.LastIndexOf('/');
        var parent = slash == 0 ? _root : Find(prefix[..slash]);
        return parent is null ? [] : parent.Children.FindAll(child => child.Name.StartsWith(prefix[(slash + 1)..], StringComparison.Ordinal));
    }

    private uint Handle(Node node)
    {
        if (HandleOf(node) is { } handle)
        {
            return handle;
        }
        // The two highest values are none (Devicetree Specification, phandle).
        if (_lastHandle >= uint.MaxValue - 2)
        {
            throw Refused("no phandle is left");
        }
        node.SetCell("phandle", ++_lastHandle);
        return _lastHandle;
    }

    private static uint? HandleOf(Node node) => node["phandle"] is { Length: sizeof(uint) } cell ? BinaryPrimitives.ReadUInt32BigEndian(cell) : null;

    private static uint HighestHandle(Node node) => node.Children.Aggregate(HandleOf(node) ?? 0, (highest, child) => Math.Max(highest, HighestHandle(child)));

    private static bool IsPattern(string path) => path.EndsWith('*');

    private static void CheckPath(string path, bool isPattern)
    {
        var parts = path.StartsWith('/') ? path[1..].Split('/') : [];
        if (parts.Length is 0 or > DeepestPath || !parts.Index().All(part => IsPart(part.Item, isPattern && part.Index == parts.Length - 1)))
        {
            throw Refused($"\"{Printable(path)}\" is no path of a node");
        }
    }

    // A name, and after an @ the unit address; of a pattern the beginning of that.
    private static bool IsPart(string part, bool isPattern)
    {
        var names = (isPattern ? part[..^1] : part).Split('@');
        return names.Length <= 2 && IsName(names[0], ",._+-") && (names.Length == 1 || (isPattern && names[1].Length == 0) || IsName(names[1], ",._+-"));
    }

    private static bool IsName(string name, string others) =>
        name.Length is > 0 and <= LongestName && name.All(letter => char.IsAsciiLetterOrDigit(letter) || others.Contains(letter, StringComparison.Ordinal));

    private static string Printable(string text) =>
        string.Concat(text.Take(64).Select(letter => letter is > ' ' and <= '~' ? letter : '?'));

    private static HostException Refused(string fault) => new($"The device tree nodes that services give are refused: {fault}.");
}

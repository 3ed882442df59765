using System.Buffers.Binary;
using System.Text;
using Hypercalls.Hosts.DeviceTree;

namespace Hypercalls.Tests.Client.Hosts.DeviceTree;

public sealed class FlattenedDeviceTreeTests
{
    // Written out by hand from the specification: one node under the root, one property in each.
    private static readonly byte[] Small = Blob(
        [0xd00d_feed, 56 + 68 + 12, 56, 56 + 68, 40, 17, 16, 0, 12, 68, 0, 0, 0, 0],
        [
            1, 0x0000_0000, // root: BEGIN_NODE, ""
            3, 4, 0, 0x0000_0002, // PROP, 4 bytes, "#cells" at 0
            4, // NOP
            1, 0x6e40_3100, // BEGIN_NODE, "n@1"
            3, 5, 7, 0x6162_6364, 0x0000_0000, // PROP, 5 bytes, "name" at 7: "abcd\0"
            2, 2, 9, // END_NODE, END_NODE, END
        ],
        "#cells\0name\0"u8);

    [Fact]
    public void Reads_nodes_and_properties()
    {
        Assert.True(FlattenedDeviceTree.TryParse(Small, out var tree));
        Assert.Equal("<#cells=00000002 n@1<name=6162636400>>", Show(tree.Root));
        Assert.Empty(tree.Reservations);
    }

    [Fact]
    public void Writes_what_it_reads()
    {
        Assert.True(FlattenedDeviceTree.TryParse(Small, out var tree));
        tree.Reservations.Add((0x4000_0000, 0x1000));
        tree.BootCpu = 3;
        tree.Root.ChildOrNew("psci").SetStrings("compatible", "arm,psci-1.0", "arm,psci-0.2");
        tree.Root.ChildOrNew("psci").SetLongs("reg", 1, 0x1234_5678_9abc_def0);
        tree.Root.ChildOrNew("psci").SetEmpty("no-map");
        Assert.True(FlattenedDeviceTree.TryParse(tree.ToBytes(), out var again));
        Assert.Equal(
            "<#cells=00000002 n@1<name=6162636400> psci<compatible=61726d2c707363692d312e300061726d2c707363692d302e3200 reg=0000000000000001123456789abcdef0 no-map=>>",
            Show(again.Root));
        Assert.Equal([(0x4000_0000ul, 0x1000ul)], again.Reservations);
        Assert.Equal(3u, again.BootCpu);
        Assert.Equal(tree.ToBytes(), again.ToBytes());
    }

    [Fact]
    public void Replaces_and_removes_properties_in_place()
    {
        var node = new DeviceTreeNode("") { ["a"] = [1], ["b"] = [2], ["c"] = [3] };
        node["b"] = [4];
        node["a"] = null;
        Assert.Equal("<b=04 c=03>", Show(node));
        Assert.Null(node["a"]);
        Assert.Null(node.Child("none"));
    }

    [Theory]
    //          offset  value        what is wrong
    [InlineData(0, 0xd00d_feee)] // magic
    [InlineData(4, 200)]         // total size beyond the blob
    [InlineData(8, 136)]         // structure block beyond the end
    [InlineData(8, 0xffff_fffc)] // and far beyond
    [InlineData(8, 8)]           // structure block inside the header
    [InlineData(12, 0x8000_0000)] // strings beyond the end
    [InlineData(16, 130)]        // reservation block without an end
    [InlineData(16, 0xffff_ffff)] // or outside
    [InlineData(20, 16)]         // a version of before the size fields
    [InlineData(24, 18)]         // a version that this one cannot read
    [InlineData(32, 0xffff_ffff)] // size of the strings
    [InlineData(36, 0x7fff_ffff)] // size of the structure block
    [InlineData(36, 64)]         // structure block without END
    [InlineData(56, 2)]          // END_NODE before any node
    [InlineData(56, 9)]          // END before any node
    [InlineData(56, 5)]          // no token
    [InlineData(68, 0x7fff_fff0)] // length of a property
    [InlineData(72, 12)]         // name of a property behind the strings
    [InlineData(72, 0xffff_ffff)] // or far behind
    [InlineData(112, 1)]         // a node that does not end
    [InlineData(116, 3)]         // property behind a child, and then nothing fits
    public void Refuses_what_points_outside_or_does_not_nest(int offset, uint value)
    {
        var blob = (byte[])Small.Clone();
        BinaryPrimitives.WriteUInt32BigEndian(blob.AsSpan(offset), value);
        Assert.False(FlattenedDeviceTree.TryParse(blob, out _));
    }

    [Fact]
    public void Refuses_nesting_without_end()
    {
        var structure = Enumerable.Repeat(new uint[] { 1, 0 }, 100_000).SelectMany(cells => cells).ToArray();
        var size = (uint)structure.Length * 4;
        Assert.False(FlattenedDeviceTree.TryParse(Blob([0xd00d_feed, 56 + size, 56, 56, 40, 17, 16, 0, 0, size, 0, 0, 0, 0], structure, []), out _));
    }

    [Fact]
    public void Refuses_every_truncation()
    {
        for (var length = 0; length < Small.Length; length++)
        {
            Assert.False(FlattenedDeviceTree.TryParse(Small.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void Survives_noise()
    {
        var random = new Random(20220101);
        var read = 0;
        for (var n = 0; n < 100_000; n++)
        {
            var blob = (byte[])Small.Clone();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
            {
                blob[random.Next(blob.Length)] = (byte)random.Next(256);
            }
            if (FlattenedDeviceTree.TryParse(blob, out var tree))
            {
                read++;
                // What is accepted can be written and read again as the same tree.
                Assert.True(FlattenedDeviceTree.TryParse(tree.ToBytes(), out var again));
                Assert.Equal(Show(tree.Root), Show(again.Root));
            }
        }
        Assert.InRange(read, 1, 99_999);
    }

    private static byte[] Blob(ReadOnlySpan<uint> header, ReadOnlySpan<uint> structure, ReadOnlySpan<byte> strings)
    {
        var blob = new byte[(header.Length + structure.Length) * 4];
        for (var n = 0; n < header.Length + structure.Length; n++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(blob.AsSpan(n * 4), n < header.Length ? header[n] : structure[n - header.Length]);
        }
        return [.. blob, .. strings];
    }

    private static string Show(DeviceTreeNode node)
    {
        var inside = node.Properties.Select(property => $"{property.Key}={Convert.ToHexStringLower(property.Value)}").Concat(node.Children.Select(Show));
        return new StringBuilder(node.Name).Append('<').AppendJoin(' ', inside).Append('>').ToString();
    }
}

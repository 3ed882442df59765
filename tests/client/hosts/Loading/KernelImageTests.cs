using System.Buffers.Binary;
using System.IO.Compression;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Loading;

namespace Hypercalls.Tests.Client.Hosts.Loading;

public sealed class KernelImageTests
{
    [Theory]
    //          text_offset image_size  flags  → text_offset  size
    [InlineData(0, 0x20_0000, 0xa, 0, 0x20_0000)]
    [InlineData(0x8_0000, 0x20_0000, 0x2, 0x8_0000, 0x20_0000)]
    [InlineData(0, 100, 0xa, 0, 4096)] // the file is longer than it says
    [InlineData(0x1_2345, 0, 0, 0x8_0000, 4096 + (16 << 20))] // before 3.17: no size, and the offset was fixed
    public void Reads_the_place_the_header_asks_for(ulong textOffset, ulong imageSize, ulong flags, ulong expectedOffset, ulong expectedSize)
    {
        var bytes = Image(textOffset, imageSize, flags);
        Assert.True(KernelImage.TryParse(bytes, out var image, out _));
        Assert.Equal((expectedOffset, expectedSize), (image.TextOffset, image.Size));
        Assert.Same(bytes, image.Bytes);
    }

    [Theory]
    [InlineData(0x20_0000, 0x20_0000, 0xa, 0x644d_5241, "its header asks for an impossible place")] // text_offset is below 2 MiB
    [InlineData(0, ulong.MaxValue, 0xa, 0x644d_5241, "its header asks for an impossible place")]
    [InlineData(0, 0x20_0000, 0xb, 0x644d_5241, "it is big-endian, which this host does not start")]
    [InlineData(0, 0x20_0000, 0xa, 0x644d_5240, "its header lacks the magic number")]
    public void Refuses_the_impossible(ulong textOffset, ulong imageSize, ulong flags, uint magic, string expected)
    {
        Assert.False(KernelImage.TryParse(Image(textOffset, imageSize, flags, magic), out _, out var fault));
        Assert.Equal(expected, fault);
    }

    [Fact]
    public void Refuses_a_file_without_room_for_a_header()
    {
        Assert.False(KernelImage.TryParse(new byte[63], out _, out var fault));
        Assert.Equal("it is too short", fault);
    }

    [Fact]
    public void Decompresses_within_bounds()
    {
        var bytes = Image(0, 0x20_0000, 0xa);
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }
        WithFile(compressed.ToArray(), path =>
        {
            Assert.Equal(bytes, KernelImage.Load(path, raw: false, rawIsAArch32: false, most: 4096).Bytes);
            var large = Assert.Throws<HostException>(() => KernelImage.Load(path, raw: false, rawIsAArch32: false, most: 4095));
            Assert.Equal($"The kernel {path} is larger than the machine's RAM when decompressed: give it more memory.", large.Message);
        });
        WithFile([0x1f, 0x8b, 0, 0, 0], path => Assert.Throws<HostException>(() => KernelImage.Load(path, raw: false, rawIsAArch32: false, most: 4096)));
    }

    [Fact]
    public void Takes_a_raw_file_as_it_is() => WithFile([1, 2, 3, 4], path =>
    {
        var image = KernelImage.Load(path, raw: true, rawIsAArch32: false, most: 4096);
        Assert.Equal([1, 2, 3, 4], image.Bytes);
        Assert.Equal((0ul, 4ul + (16 << 20)), (image.TextOffset, image.Size));
    });

    [Theory]
    //          kernel        text_offset initrd  → kernel      device tree   initrd
    [InlineData(0x20_0000, 0, 0, 0x4040_0000, 0x4060_0000, 0x4080_0000)]
    [InlineData(0x20_0001, 0x8_0000, 0x1234, 0x4048_0000, 0x4080_0000, 0x40a0_0000)]
    public void Lays_out_kernel_tree_and_initrd(ulong size, ulong textOffset, ulong initrd, ulong kernelAt, ulong treeAt, ulong initrdAt)
    {
        var layout = BootLayout.For(new([], textOffset, size), initrd, 0x4000_0000, 0x4400_0000);
        Assert.Equal(new BootLayout(kernelAt, treeAt, initrdAt), layout);
    }

    [Theory]
    [InlineData(60 << 20, 0)]
    [InlineData(1 << 20, 60 << 20)]
    [InlineData(long.MaxValue, 0)]
    [InlineData(1 << 20, long.MaxValue)]
    public void Refuses_what_does_not_fit(ulong size, ulong initrd) =>
        Assert.Throws<HostException>(() => BootLayout.For(new([], 0, size), initrd, 0x4000_0000, 0x4400_0000));

    private static byte[] Image(ulong textOffset, ulong imageSize, ulong flags, uint magic = 0x644d_5241)
    {
        var bytes = new byte[4096];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), textOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), imageSize);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(24), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(56), magic);
        return bytes;
    }

    private static void WithFile(byte[] contents, Action<string> use)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, contents);
            use(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}

using System.Buffers.Binary;
using Hypercalls.Hosts.Loading;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Hosts.Loading;

/// <summary>The head of a zImage: six words from 0x24, and a table that says what it becomes.</summary>
public sealed class ZImageTests
{
    private const uint Magic = 0x016f_2818;
    private const uint Little = 0x0403_0201;
    private const int Length = 0x1000;
    private const ulong Place = 0x4200_0000;

    [Theory]
    //          becomes      and clears → size
    [InlineData(0x0100_0000u, 0x10_0000u, 0x10_1000)] // ends below
    [InlineData(0x01c0_0000u, 0u, 0x10_1000)] // 28 MiB above 4: ends exactly there
    [InlineData(0x01c0_0000u, 0x2000u, 0x10_3000)] // would overlap it: it moves behind
    public void Has_room_for_what_it_becomes(uint becomes, uint clears, ulong size)
    {
        var bytes = Image();
        Word(bytes, 0x800 + 4, 0x5a53_4c4b);
        Word(bytes, 0x800 + 8, 0xffc); // where the size lies
        Word(bytes, 0x800 + 12, clears);
        Word(bytes, 0xffc, becomes);
        Assert.True(KernelImage.TryParse(bytes, out var image, out _));
        Assert.Equal((true, size), (image.IsAArch32, image.Size));
        var layout = BootLayout.For(image, 0x1234, 0x4000_0000, 0x5fe0_0000);
        Assert.Equal(Place, layout.Kernel);
        Assert.True(layout.DeviceTree >= Place + size && layout.Initrd >= layout.DeviceTree + BootLayout.DeviceTreeSize);
    }

    [Theory]
    [InlineData(0x34, 0u)] // no table
    [InlineData(0x30, 0u)] // before 4.0
    [InlineData(0x38, 0xffff_fff0u)] // a table outside
    [InlineData(0x38, 0xfffu)]
    [InlineData(0x804, 0u)] // another table
    [InlineData(0x808, 0x7f_fffdu)] // a size outside
    public void Is_taken_for_a_fifth_of_what_it_becomes_where_it_does_not_say(int offset, uint word)
    {
        var bytes = new byte[8 << 20];
        Image().CopyTo(bytes, 0);
        Word(bytes, 0x2c, 8 << 20);
        Word(bytes, 0x804, 0x5a53_4c4b);
        Word(bytes, 0x808, 0xffc);
        Word(bytes, 0xffc, 1);
        Word(bytes, offset, word);
        Assert.True(KernelImage.TryParse(bytes, out var image, out _));
        // 40 MiB above 4 end 12 MiB above its place; then itself and its workspace.
        Assert.Equal((12ul + 8 + 1) << 20, image.Size);
    }

    [Theory]
    [InlineData(0x24, 0x016f_2819u, "its header lacks the magic number")]
    [InlineData(0x30, 0x0102_0304u, "it is big-endian, which this host does not start")]
    [InlineData(0x2c, 0x1001u, "the file is shorter than its header says")]
    [InlineData(0x28, 0x1001u, "the file is shorter than its header says")] // ends before it starts
    [InlineData(0x2c, 0x20u, "the file is shorter than its header says")]
    public void Refuses_the_impossible(int offset, uint word, string expected)
    {
        var bytes = Image();
        Word(bytes, offset, word);
        Assert.False(KernelImage.TryParse(bytes, out _, out var fault));
        Assert.Equal(expected, fault);
    }

    [NeedsFact(DebianKernels.Armhf)]
    public void Debian_s_says_what_it_becomes()
    {
        var image = KernelImage.Load(DebianKernels.Armhf, raw: false, rawIsAArch32: false, 512 << 20);
        // About 20 MiB: it need not move, and five times its length would say more.
        Assert.Equal((true, (ulong)image.Bytes.Length + (1 << 20)), (image.IsAArch32, image.Size));
    }

    private static byte[] Image()
    {
        var bytes = new byte[Length];
        foreach (var (offset, word) in new[] { (0x24, Magic), (0x28, 0u), (0x2c, (uint)Length), (0x30, Little), (0x34, 0x4545_4545u), (0x38, 0x800u) })
        {
            Word(bytes, offset, word);
        }
        return bytes;
    }

    private static void Word(byte[] bytes, int offset, uint word) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), word);
}

using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Tests.Client.Qemu.Monitor;

public sealed class MonitorImageTests
{
    [NeedsFact("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-objcopy")]
    public void Is_what_its_source_builds_to_byte_for_byte()
    {
        var folder = GuestImages.Run("client/qemu/Monitor/build.sh");
        try
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "monitor.bin")), MonitorImage.Bytes());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Takes_the_area_into_its_one_literal_and_stays_the_same_otherwise()
    {
        var patched = MonitorImage.For(0x0123_4567_89ab_cdef);
        var bytes = MonitorImage.Bytes();
        Assert.Equal([0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01], patched[8..16]);
        Assert.Equal(bytes[..8], patched[..8]);
        Assert.Equal(bytes[16..], patched[16..]);
    }
}

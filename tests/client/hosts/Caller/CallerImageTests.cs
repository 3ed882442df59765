using Hypercalls.Hosts.Caller;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Hosts.Caller;

public sealed class CallerImageTests
{
    [NeedsFact("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-objcopy")]
    public void Is_what_its_source_builds_to_byte_for_byte()
    {
        var folder = GuestImages.Run("client/hosts/Caller/build.sh");
        try
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "caller.bin")), CallerGuest.Image());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Ends_where_its_table_begins() => Assert.Equal(0, CallerGuest.Image().Length % CallerLayout.TableAlignment);

    [Fact]
    public void Its_layout_is_that_of_the_header_constant_by_constant()
    {
        LayoutHeader.IsThatOf(typeof(CallerLayout), "client/hosts/Caller/caller.h");
        Assert.Equal(CallerLayout.RecordMemory, CallerLayout.RecordX + (CallerLayout.RecordRegisters * sizeof(ulong)));
    }
}

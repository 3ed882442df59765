using System.Buffers.Binary;
using Hypercalls.Kvm.Interface;

namespace Hypercalls.Tests.Client.Kvm.Interface;

/// <summary>struct kvm_run as a program printed its offsets that was compiled with the headers of Linux 7.2 for arm64.</summary>
public sealed class RunPageTests
{
    [Theory]
    [InlineData(3u, ExitReason.Hypercall)]
    [InlineData(4u, ExitReason.Debug)]
    [InlineData(6u, ExitReason.Mmio)]
    [InlineData(9u, ExitReason.FailEntry)]
    [InlineData(10u, ExitReason.Interrupted)]
    [InlineData(17u, ExitReason.InternalError)]
    [InlineData(24u, ExitReason.SystemEvent)]
    [InlineData(28u, ExitReason.ArmNisv)]
    [InlineData(39u, ExitReason.MemoryFault)]
    [InlineData(41u, ExitReason.ArmSea)]
    [InlineData(42u, ExitReason.ArmLdst64B)]
    internal void The_reason_stands_at_8(uint number, ExitReason reason) => Assert.Equal(reason, Page((8, number, 4)).Reason);

    [Fact]
    public void The_flags_stand_at_14() => Assert.Equal(0x8001, Page((14, 0x8001ul, 2)).Flags);

    // nr u64 @32, flags u64 @96: KVM_HYPERCALL_EXIT_SMC 1, _16BIT 2
    [Theory]
    [InlineData(0xc400_0003ul, 0ul, 0xc400_0003u, false)]
    [InlineData(0xc400_0003ul, 1ul, 0xc400_0003u, true)]
    [InlineData(0x8400_0000ul, 2ul, 0x8400_0000u, false)]
    [InlineData(0xdead_beef_8400_0000, 3ul, 0x8400_0000u, true)]
    public void A_hypercall_has_its_function_at_32_and_its_flags_at_96(ulong nr, ulong flags, uint function, bool isSmc) =>
        Assert.Equal((function, isSmc), Page((32, nr, 8), (96, flags, 8)).Hypercall);

    // phys_addr u64 @32, data[8] @40, len u32 @48, is_write u8 @52
    [Fact]
    public void An_access_has_its_address_data_length_and_direction()
    {
        var page = Page((32, 0x1_0900_0018ul, 8), (40, 0x8877_6655_4433_2211ul, 8), (48, 4ul, 4), (52, 1ul, 1));
        Assert.Equal((0x1_0900_0018ul, 4, true), page.Mmio);
        Assert.Equal([0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88], page.MmioData.ToArray());
        Assert.False(Page((52, 0ul, 1)).Mmio.IsWrite);
    }

    // type u32 @32, ndata u32 @36, data[16] u64 @40
    [Theory]
    [InlineData(0u, 0)]
    [InlineData(1u, 1)]
    [InlineData(16u, 16)]
    [InlineData(17u, 16)]
    [InlineData(0x7fff_ffffu, 16)]
    [InlineData(0x8000_0000u, 16)]
    [InlineData(0xffff_ffffu, 16)]
    public void A_system_event_has_as_much_data_as_it_says_and_can(uint count, int expected)
    {
        var page = Page([(32, 2ul, 4), (36, count, 4), .. Enumerable.Range(0, 16).Select(n => (40 + (n * 8), 100ul + (uint)n, 8))]);
        Assert.Equal(KvmSystemEvent.Reset, page.SystemEvent);
        Assert.Equal(Enumerable.Range(0, expected).Select(n => 100ul + (uint)n), page.SystemEventData);
    }

    // hsr u32 @32, hsr_high u32 @36, far u64 @40; KVM_DEBUG_ARCH_HSR_HIGH_VALID is bit 0 of kvm_run.flags
    [Fact]
    public void A_debug_exit_has_both_halves_of_ESR()
    {
        Assert.Equal((0x5_f200_0123ul, true, 0x4040_0000ul), Page((14, 1ul, 2), (32, 0xf200_0123ul, 4), (36, 5ul, 4), (40, 0x4040_0000ul, 8)).Debug);
        Assert.Equal((0xf200_0123ul, false, 7ul), Page((14, 0ul, 2), (32, 0xf200_0123ul, 4), (40, 7ul, 8)).Debug);
    }

    // suberror u32 @32, ndata u32 @36, data[16] u64 @40
    [Fact]
    public void An_internal_error_has_its_suberror_and_data()
    {
        var (suberror, data) = Page((32, 3ul, 4), (36, 2ul, 4), (40, 7ul, 8), (48, 8ul, 8)).InternalError;
        Assert.Equal((3u, 7ul, 8ul, 2), (suberror, data[0], data[1], data.Length));
    }

    [Fact]
    public void Words_are_those_of_the_union() => Assert.Equal([5ul, 6, 7], Page((32, 5ul, 8), (40, 6ul, 8), (48, 7ul, 8)).Words(3));

    [Fact]
    public void Holds_the_last_word_that_is_ever_read() => Assert.True(RunPage.Size >= 40 + (16 * 8) && RunPage.Size >= 96 + 8 && RunPage.Size <= 256);

    private static RunPage Page(params ReadOnlySpan<(int Offset, ulong Value, int Size)> fields)
    {
        var page = new RunPage();
        // What is read beside its place shows.
        page.Bytes.Fill(0xa5);
        Span<byte> value = stackalloc byte[8];
        foreach (var (offset, number, size) in fields)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value, number);
            value[..size].CopyTo(page.Bytes[offset..]);
        }
        return page;
    }
}

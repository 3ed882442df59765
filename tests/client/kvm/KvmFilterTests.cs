using Hypercalls.Client.Kernel;
using Hypercalls.Hosts;
using Hypercalls.Kvm;
using static Hypercalls.Client.Kernel.FilterAction;

namespace Hypercalls.Tests.Client.Kvm;

public sealed class KvmFilterTests
{
    private static readonly Random s_random = new(20260101);

    [Fact]
    public void Everything_that_can_be_forwarded_is() =>
        Assert.Equal(
            [new(0, 0x7fff_ffff, Forward), new(0x8001_0000, 0xbfff_ffff, Forward), new(0xc001_0000, 0xffff_ffff, Forward)],
            KvmFilter.Of(PsciOwner.Daemon, []));

    [Fact]
    public void PSCI_of_the_kernels_is_left_out_in_both_widths_fast_and_yielding() =>
        Assert.Equal(
            [
                new(0, 0x03ff_ffff, Forward), new(0x0400_0020, 0x43ff_ffff, Forward), new(0x4400_0020, 0x7fff_ffff, Forward), new(0x8001_0000, 0x83ff_ffff, Forward),
                new(0x8400_0020, 0xbfff_ffff, Forward), new(0xc001_0000, 0xc3ff_ffff, Forward), new(0xc400_0020, 0xffff_ffff, Forward),
            ],
            KvmFilter.Of(PsciOwner.Kernel, []));

    [Fact]
    public void What_is_denied_is_installed_as_such_in_its_place() =>
        Assert.Equal(
            [
                new(0, 0, Deny), new(1, 0x7fff_fffe, Forward), new(0x7fff_ffff, 0x7fff_ffff, Deny), new(0x8001_0000, 0x8001_0000, Deny), new(0x8001_0001, 0xbfff_ffff, Forward),
                new(0xc001_0000, 0xffff_fffe, Forward), new(0xffff_ffff, 0xffff_ffff, Deny),
            ],
            KvmFilter.Of(PsciOwner.Daemon, [(0xffff_ffff, 0xffff_ffff), (0, 0), (0x8001_0000, 0x8001_0000), (0x7fff_ffff, 0x7fff_ffff)]));

    [Theory]
    [InlineData(5u, 4u, "ends before it begins")]
    [InlineData(0x7fff_ffffu, 0x8000_0000u, "touches 0x80000000 to 0x8000FFFF")]
    [InlineData(0x8000_0001u, 0x8000_0002u, "touches 0x80000000 to 0x8000FFFF")]
    [InlineData(0xc000_ffffu, 0xc001_0000u, "touches 0x80000000 to 0x8000FFFF or 0xC0000000 to 0xC000FFFF")]
    [InlineData(0u, 0xffff_ffffu, "touches 0x80000000 to 0x8000FFFF")]
    [InlineData(0x150u, 0x160u, "overlaps another")]
    [InlineData(0x200u, 0x300u, "overlaps another")]
    public void A_range_that_cannot_be_denied_is_named(uint first, uint last, string why)
    {
        var refusal = Assert.Throws<HostException>(() => KvmFilter.Of(PsciOwner.Daemon, [(0x100, 0x200), (first, last)]));
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
        Assert.True(refusal.IsBadInput);
    }

    [Theory]
    [InlineData(PsciOwner.Daemon)]
    [InlineData(PsciOwner.Kernel)]
    public void A_kernel_takes_every_filter_and_each_function_has_its_one_place(PsciOwner psci)
    {
        for (var round = 0; round < 200; round++)
        {
            var denied = Denied().ToArray();
            using var kvm = new Fakes.FakeKvm(_ => []);
            using var vm = (Fakes.FakeVm)kvm.CreateVm();
            foreach (var range in KvmFilter.Of(psci, denied))
            {
                vm.SetFilter(range);
            }
            foreach (var id in denied.SelectMany(range => new[] { range.First, range.Last, range.First - 1, range.Last + 1 }).Append((uint)s_random.NextInt64()))
            {
                var expected = Array.Exists(denied, range => id >= range.First && id <= range.Last) ? Deny
                    : (id & 0x3fff_0000) == 0 && id >> 31 != 0 ? Handle
                    : psci == PsciOwner.Kernel && (id & 0x3fff_ffe0) == 0x0400_0000 ? (FilterAction?)null
                    : Forward;
                Assert.Equal(expected, vm.ActionFor(id));
            }
        }

        static IEnumerable<(uint First, uint Last)> Denied()
        {
            uint[] bases = [0x0400_0000, 0x4400_0010, 0x7fff_ff00, 0x8001_0000, 0x8400_0000, 0xbfff_fe00, 0xc001_0000, 0xc400_0020, 0xfffe_0000];
            foreach (var start in bases.Where(_ => s_random.Next(2) == 0))
            {
                var first = start + (uint)s_random.Next(0x40);
                yield return (first, first + (uint)s_random.Next(0x40));
            }
        }
    }
}

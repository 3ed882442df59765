using Hypercalls.Client.Kernel;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Library.Kernel;

/// <summary>What real kernels answer, scanned by a guest, against what is computed.</summary>
public sealed class KvmRegisterTests
{
    private const Conduit Smc = Conduit.Smc;
    private const Conduit Hvc = Conduit.Hvc;

    /// <summary>Each ID that some kernel handles on a machine with PSCI_0_2 and no filter; by which conduits on 6.1, 6.12 and 7.2.</summary>
    public static TheoryData<uint, string, string, string> Handled { get; } = new()
    {
#pragma warning disable format // a table, to be read by column
        // ID           6.1   6.12  7.2
        { 0x8000_0000, "H",  "HS", "HS" }, // SMCCC_VERSION
        { 0x8000_0001, "H",  "HS", "HS" }, // ARCH_FEATURES
        { 0x8000_8000, "H",  "H",  "H"  }, // WORKAROUND_1
        { 0x8000_7FFF, "H",  "H",  "H"  }, // WORKAROUND_2
        { 0x8000_3FFF, "H",  "H",  "H"  }, // WORKAROUND_3
        { 0x8400_0000, "H",  "HS", "HS" }, // PSCI_VERSION
        { 0x8400_0001, "H",  "HS", "HS" }, // CPU_SUSPEND
        { 0xC400_0001, "H",  "HS", "HS" },
        { 0x8400_0002, "H",  "HS", "HS" }, // CPU_OFF
        { 0x8400_0003, "H",  "HS", "HS" }, // CPU_ON
        { 0xC400_0003, "H",  "HS", "HS" },
        { 0x8400_0004, "H",  "HS", "HS" }, // AFFINITY_INFO
        { 0xC400_0004, "H",  "HS", "HS" },
        { 0x8400_0006, "H",  "HS", "HS" }, // MIGRATE_INFO_TYPE
        { 0x8400_0008, "H",  "HS", "HS" }, // SYSTEM_OFF
        { 0x8400_0009, "H",  "HS", "HS" }, // SYSTEM_RESET
        { 0x8400_000A, "H",  "HS", "HS" }, // PSCI_FEATURES
        { 0x8400_0012, "H",  "HS", "HS" }, // SYSTEM_RESET2
        { 0xC400_0012, "H",  "HS", "HS" },
        { 0x8400_0015, "",   "",   "HS" }, // SYSTEM_OFF2
        { 0xC400_0015, "",   "",   "HS" },
        { 0x8400_000E, "",   "",   ""   }, // SYSTEM_SUSPEND: the capability is not enabled
        { 0xC400_000E, "",   "",   ""   },
        { 0x8400_0050, "H",  "HS", "HS" }, // TRNG
        { 0x8400_0051, "H",  "HS", "HS" },
        { 0x8400_0052, "H",  "HS", "HS" },
        { 0x8400_0053, "H",  "HS", "HS" },
        { 0xC400_0053, "H",  "HS", "HS" },
        { 0xC500_0020, "",   "",   ""   }, // PV time: no address for stolen time is set
        { 0xC500_0021, "",   "",   ""   },
        { 0x8600_0000, "H",  "HS", "HS" }, // KVM features
        { 0x8600_FF01, "H",  "HS", "HS" }, // KVM's UID
        { 0x8600_0001, "H",  "HS", "HS" }, // PTP
        { 0x95C1_BA5F, "",   "",   ""   }, // PSCI 0.1: only without PSCI_0_2
        { 0x95C1_BA60, "",   "",   ""   },
        { 0xC600_0040, "",   "",   ""   }, // DISCOVER_IMPL_VER: for user space
        { 0xC600_0041, "",   "",   ""   },
        { 0xC600_0002, "",   "",   ""   }, // of protected machines
        { 0x8000_0002, "",   "",   ""   }, // SOC_ID
        { 0xC400_0020, "",   "",   ""   }, // SDEI
        { 0x8400_0005, "",   "",   ""   }, // MIGRATE
        { 0x8400_0007, "",   "",   ""   },
        { 0x8400_000B, "",   "",   ""   },
        { 0x8400_000F, "",   "",   ""   },
        { 0x8400_0014, "",   "",   ""   },
        { 0x8401_0000, "",   "",   ""   }, // with the SVE hint
        { 0x0000_0000, "",   "",   ""   },
        { 0xFFFF_FFFF, "",   "",   ""   },
#pragma warning restore format
    };

    [Theory]
    [MemberData(nameof(Handled))]
    public void What_the_kernels_handle(uint id, string linux6Dot1, string linux6Dot12, string linux7Dot2)
    {
        Assert.Equal(
            (linux6Dot1, linux6Dot12, linux7Dot2),
            (Conduits("linux-6.1-defaults", id), Conduits("linux-6.12-defaults", id), Conduits("linux-7.2-defaults", id)));
    }

    /// <summary>What becomes of calls that 6.12 does not answer, by SMC and by HVC alike, and from which states.</summary>
    [Theory]
#pragma warning disable format // a table, to be read by column
    [InlineData(0x8400_0005, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)] // MIGRATE
    [InlineData(0x8400_0007, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x8400_000B, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)] // CPU_FREEZE
    [InlineData(0x8400_000C, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x8400_000D, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x8400_000E, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)] // SYSTEM_SUSPEND
    [InlineData(0x8400_000F, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x8400_0010, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x8400_0011, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x8400_0013, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x8400_0014, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x8400_0015, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)] // SYSTEM_OFF2: PSCI 1.1
    [InlineData(0x8400_001F, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x0400_0000, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)] // yielding
    [InlineData(0x4400_001F, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0x95C1_BA5E, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)] // PSCI 0.1
    [InlineData(0x95C1_BA61, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)]
    [InlineData(0xC400_0003, Disposition.Kernel,             Disposition.ClaimedButUnserved)] // SMC64 from AArch32
    [InlineData(0x8400_0003, Disposition.Kernel,             Disposition.Kernel)]
    [InlineData(0xC400_0053, Disposition.Kernel,             Disposition.Kernel)]             // TRNG looks at no state
    [InlineData(0xC500_0020, Disposition.ClaimedButUnserved, Disposition.ClaimedButUnserved)] // no stolen time
    [InlineData(0x8400_0020, Disposition.Unserved,           Disposition.Unserved)]
    [InlineData(0xC400_0020, Disposition.Unserved,           Disposition.Unserved)]           // SDEI
    [InlineData(0xC600_0040, Disposition.Unserved,           Disposition.Unserved)]
    [InlineData(0x8000_0002, Disposition.Unserved,           Disposition.Unserved)]           // SOC_ID
    [InlineData(0x8401_0000, Disposition.Unserved,           Disposition.Unserved)]           // with the SVE hint
#pragma warning restore format
    public void What_becomes_of_calls_on_6_12(uint id, Disposition fromAArch64, Disposition fromAArch32)
    {
        var register = KernelProfiles.Find("linux-6.12-defaults")!;
        foreach (var conduit in (Conduit[])[Smc, Hvc])
        {
            Assert.Equal(
                (conduit, fromAArch64, fromAArch32),
                (conduit, At(register, conduit, id).Disposition, At(register, conduit, id, ExecutionState.Aarch32).Disposition));
        }
    }

    [Theory]
    [InlineData(1ul, 0ul, 0ul, "84000050 84000051 84000052 84000053 C4000053")]
    [InlineData(0ul, 1ul, 0ul, "C5000020 C5000021")]
    [InlineData(0ul, 0ul, 1ul, "86000000 8600FF01")]
    [InlineData(0ul, 0ul, 2ul, "86000001")]
    public void Each_bit_of_the_bitmaps_gives_its_functions_and_no_other(ulong standard, ulong standardHypervisor, ulong vendor, string ids)
    {
        var bare = new KvmFirmware { HasFilter = true, PsciVersion = 0x2, HasStolenTime = true };
        var register = bare with { StdBitmap = standard, StdHypBitmap = standardHypervisor, VendorHypBitmap = vendor };
        Assert.Equal(ids, string.Join(' ', KernelIds(register, Hvc).Except(KernelIds(bare, Hvc)).Select(id => id.ToString("X8", System.Globalization.CultureInfo.InvariantCulture))));
        Assert.Equal(Disposition.Denied, At(KvmRegister.Of(bare), Hvc, Convert.ToUInt32(ids[..8], 16)).Disposition);
    }

    [Theory]
    [InlineData(false, 0x8400_0000, 0x8400_0001, 0xC400_0000, 0xC400_0001, "a kernel without the SMCCC filter has no ranges")]
    [InlineData(true, 0x8400_0001, 0x8400_0000, 0xC400_0000, 0xC400_0001, "a range ends before it begins")]
    [InlineData(true, 0x8400_0000, 0x8400_0009, 0x8400_0009, 0x8400_000A, "two ranges overlap")]
    [InlineData(true, 0x7FFF_0000, 0x8000_0000, 0xC400_0000, 0xC400_0001, "a range touches those that are reserved")]
    public void A_filter_that_no_kernel_could_have_taken_is_none(bool hasFilter, uint first, uint last, uint first2, uint last2, string why)
    {
        var firmware = new KvmFirmware { HasFilter = hasFilter, PsciVersion = 0x2, Filter = [new(first, last, FilterAction.Forward), new(first2, last2, FilterAction.Forward)] };
        Assert.StartsWith($"The filter cannot have been installed: {why}.", Assert.Throws<ArgumentException>(() => KvmRegister.Of(firmware)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("linux-6.1-defaults", 24, 0)]
    [InlineData("linux-6.12-defaults", 24, 21)]
    [InlineData("linux-7.2-defaults", 26, 23)]
    public void As_many_as_a_scan_has_found(string profile, int byHvc, int bySmc)
    {
        // Those that answer −1 to an argument of 0 are not seen by a scan.
        uint[] unseen = [0x8000_0001, 0x8400_000A, 0x8400_0051, 0xC500_0020, 0xC500_0021];
        Assert.Equal((byHvc, bySmc), (Count(Hvc), Count(Smc)));

        long Count(Conduit conduit) => Space(profile, conduit).Where(range => range.Disposition == Disposition.Kernel).Sum(range => range.Last - range.First + 1L)
            - unseen.Count(id => At(profile, conduit, id).Disposition == Disposition.Kernel);
    }

    [Theory]
    [InlineData("linux-6.12-defaults")]
    [InlineData("linux-7.2-defaults")]
    public void An_SMC_with_an_immediate_never_leaves_the_kernel(string profile)
    {
        var register = KernelProfiles.Find(profile)!;
        var space = register.Ranges.Where(range => range is { Conduit: Smc, ExecutionState: ExecutionState.Aarch64, Immediate: ImmediateRule.NotZero });
        Assert.Equal([(0u, uint.MaxValue, Disposition.Denied)], space.Select(range => (range.First, range.Last, range.Disposition)));
        Assert.DoesNotContain(register.Ranges, range => range.Conduit == Hvc && range.Immediate != ImmediateRule.Any);
        Assert.DoesNotContain(register.Ranges, range => range.ExecutionState == ExecutionState.Aarch32 && range.Immediate != ImmediateRule.Any);
    }

    [Fact]
    public void With_every_bitmap_clear_and_PSCI_1_0_little_is_left() => Assert.Equal(
        [
            0x8000_0000, 0x8000_0001, 0x8000_3FFF, 0x8000_7FFF, 0x8000_8000,
            0x8400_0000, 0x8400_0001, 0x8400_0002, 0x8400_0003, 0x8400_0004, 0x8400_0006, 0x8400_0008, 0x8400_0009, 0x8400_000A,
            0xC400_0001, 0xC400_0003, 0xC400_0004,
        ],
        KernelIds(new() { HasFilter = true, PsciVersion = 0x0001_0000 }, Hvc));

    [Fact]
    public void PSCI_0_2_has_neither_FEATURES_nor_RESET2()
    {
        var kept = KernelIds(new() { HasFilter = true, PsciVersion = 0x2 }, Hvc);
        Assert.DoesNotContain(0x8400_000A, kept);
        Assert.DoesNotContain(0x8400_0012, kept);
        Assert.Contains(0x8400_0009, kept);
    }

    [Fact]
    public void Without_the_vCPU_feature_PSCI_0_1_is_all_there_is()
    {
        var firmware = new KvmFirmware { HasFilter = true, HasPsci02 = false, PsciVersion = 0x1 };
        Assert.Equal([0x8000_0000, 0x8000_0001, 0x95C1_BA5F, 0x95C1_BA60], KernelIds(firmware, Smc));
        Assert.Equal(Disposition.ClaimedButUnserved, At(KvmRegister.Of(firmware), Smc, 0x8400_0000).Disposition);
    }

    [Fact]
    public void SYSTEM_SUSPEND_is_the_kernel_s_where_the_capability_is_enabled()
    {
        var register = KvmRegister.Of(KernelProfiles.Kernels["linux-6.12-defaults"] with { HasSystemSuspend = true });
        Assert.Equal(("KVM_CAP_ARM_SYSTEM_SUSPEND", Disposition.Kernel), (At(register, Smc, 0x8400_000E).Reason, At(register, Hvc, 0xC400_000E).Disposition));
    }

    [Fact]
    public void The_kernel_s_PSCI_refuses_SMC64_from_AArch32_and_a_filter_forwards_it()
    {
        var register = KvmRegister.Of(KernelProfiles.Kernels["linux-6.12-defaults"] with { Filter = [new(0xC400_0020, 0xC400_003F, FilterAction.Forward)] });
        Assert.Equal(Disposition.ClaimedButUnserved, At(register, Hvc, 0xC400_0003, ExecutionState.Aarch32).Disposition);
        Assert.Equal(Disposition.Kernel, At(register, Hvc, 0x8400_0003, ExecutionState.Aarch32).Disposition);
        Assert.Equal(Disposition.Forwarded, At(register, Smc, 0xC400_0020, ExecutionState.Aarch32).Disposition);
    }

    [Fact]
    public void A_filter_comes_before_bitmaps_and_PSCI()
    {
        var register = KvmRegister.Of(KernelProfiles.Kernels["linux-7.2-defaults"] with
        {
            Filter =
            [
                new(0x8400_0000, 0x8400_001F, FilterAction.Forward),
                new(0x8400_0050, 0x8400_0053, FilterAction.Deny),
                new(0xC400_0020, 0xC400_003F, FilterAction.Handle),
            ],
        });
        foreach (var conduit in (Conduit[])[Smc, Hvc])
        {
            Assert.Equal((Disposition.Forwarded, "SMCCC filter"), Verdict(At(register, conduit, 0x8400_0000)));
            Assert.Equal((Disposition.Forwarded, "SMCCC filter"), Verdict(At(register, conduit, 0x8400_0005)));
            Assert.Equal((Disposition.Kernel, "PSCI version register: 1.3"), Verdict(At(register, conduit, 0xC400_0003)));
            Assert.Equal((Disposition.Denied, "SMCCC filter"), Verdict(At(register, conduit, 0x8400_0053)));
            Assert.Equal((Disposition.Kernel, "STD_BMAP bit 0"), Verdict(At(register, conduit, 0xC400_0053)));
            Assert.Equal(Disposition.Unserved, At(register, conduit, 0xC400_0020).Disposition);
        }
    }

    [Theory]
    [InlineData("linux-6.12-forward-all")]
    [InlineData("linux-7.2-forward-all")]
    public void With_everything_forwarded_only_the_architecture_range_stays(string profile)
    {
        foreach (var range in Space(profile, Hvc).Where(range => range.Disposition != Disposition.Forwarded))
        {
            Assert.True(ForwardRanges.IsReserved(range.First) && ForwardRanges.IsReserved(range.Last), $"0x{range.First:x}");
        }

        Assert.Equal(0x1_0000_0000 - 0x2_0000, Space(profile, Hvc).Where(range => range.Disposition == Disposition.Forwarded).Sum(range => range.Last - range.First + 1L));
    }

    [Fact]
    public void Every_space_is_sorted_complete_and_merged()
    {
        foreach (var register in KernelProfiles.Kernels.Values.Select(KvmRegister.Of))
        {
            foreach (var space in register.Ranges.GroupBy(range => (range.Conduit, range.ExecutionState, range.Immediate)))
            {
                var next = 0ul;
                (Disposition, string)? before = null;
                foreach (var range in space)
                {
                    Assert.Equal(next, range.First);
                    Assert.NotEqual(before, Verdict(range));
                    Assert.NotEmpty(range.Reason);
                    next = range.Last + 1ul;
                    before = Verdict(range);
                }

                Assert.Equal(1ul << 32, next);
            }
        }
    }

    private static string Conduits(string profile, uint id) =>
        (At(profile, Hvc, id).Disposition == Disposition.Kernel ? "H" : "") + (At(profile, Smc, id).Disposition == Disposition.Kernel ? "S" : "");

    private static (Disposition, string) Verdict(KernelRange range) => (range.Disposition, range.Reason);

    private static IEnumerable<uint> KernelIds(KvmFirmware firmware, Conduit conduit) =>
        KvmRegister.Of(firmware).Ranges
            .Where(range => range.Conduit == conduit && range is { ExecutionState: ExecutionState.Aarch64, Disposition: Disposition.Kernel })
            .SelectMany(range => Enumerable.Range(0, (int)(range.Last - range.First + 1)).Select(i => range.First + (uint)i));

    private static IEnumerable<KernelRange> Space(string profile, Conduit conduit) => KernelProfiles.Find(profile)!.Ranges
        .Where(range => range.Conduit == conduit && range.ExecutionState == ExecutionState.Aarch64 && range.Immediate != ImmediateRule.NotZero);

    private static KernelRange At(string profile, Conduit conduit, uint id) => At(KernelProfiles.Find(profile)!, conduit, id);

    private static KernelRange At(Ready register, Conduit conduit, uint id, ExecutionState state = ExecutionState.Aarch64) => register.Ranges.Single(range =>
        range.Conduit == conduit && range.ExecutionState == state && range.Immediate != ImmediateRule.NotZero && range.First <= id && id <= range.Last);
}

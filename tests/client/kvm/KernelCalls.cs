namespace Hypercalls.Tests.Client.Kvm;

/// <summary>The calls that kernels with KVM have answered when they were asked for every one, those beside them, and those that a host forwards.</summary>
internal static class KernelCalls
{
    public static IReadOnlyList<uint> Table { get; } =
    [
        0x8000_0000, 0x8000_0001, 0x8000_0002, // SMCCC_VERSION, ARCH_FEATURES, ARCH_SOC_ID
        0x8000_3FFF, 0x8000_7FFF, 0x8000_8000, // ARCH_WORKAROUND_3, 2, 1
        .. Range(0x8400_0000, 0x20), .. Range(0xC400_0000, 0x20), // PSCI
        .. Range(0x0400_0000, 0x20), .. Range(0x4400_0000, 0x20),
        .. Range(0x95C1_BA5D, 6), // PSCI 0.1
        .. Range(0x8400_0050, 5), .. Range(0xC400_0050, 5), // TRNG
        0xC500_0020, 0xC500_0021, 0xC500_0022, 0x8500_0020, // PV time
        0x8600_0000, 0x8600_0001, 0x8600_0002, 0x8600_FF00, 0x8600_FF01, 0x8600_FF03, // of the vendor: features, PTP, UID
        0xC600_0002, 0xC600_0003, 0xC600_0004, 0xC600_0007, // pKVM
        0x8600_0040, 0xC600_0040, 0xC600_0041, // DISCOVER_IMPL
        .. Range(0xC400_0020, 0x20), // SDEI
        0x8401_0000, 0x0000_0000, 0x3200_0000, 0x8200_0000, 0xC200_0000, 0xC300_0001, 0xFFFF_FFFF,
    ];

    /// <summary>The first functions and the general queries of each of the 64 owners, fast and yielding, of both widths.</summary>
    public static IEnumerable<uint> OfEveryOwner =>
        Enumerable.Range(0, 4 * 64).SelectMany(n => Range((uint)n >> 6 << 30 | ((uint)n & 63) << 24, 0x24).Concat(Range((uint)n >> 6 << 30 | ((uint)n & 63) << 24 | 0xFF00, 4)));

    /// <summary>Whether a kernel that has the function makes no exit until somebody wakes the core.</summary>
    public static bool Sleep(uint function) => function is 0x8400_0001 or 0xC400_0001 or 0x8400_0002 or 0x95C1_BA5F;

    /// <summary>x1 with which a kernel that has the function answers something other than −1.</summary>
    public static ulong Argument(uint function) => function switch
    {
        0x8000_0001 => 0x8000_8000, // ARCH_FEATURES of ARCH_WORKAROUND_1
        0x8400_0003 or 0xC400_0003 or 0x95C1_BA60 => 0x00FF_FFFF, // CPU_ON of a core that does not exist: INVALID_PARAMETERS
        0x8400_000A => 0x8400_0000, // PSCI_FEATURES of PSCI_VERSION
        0x8400_0051 => 0x8400_0050, // TRNG_FEATURES of TRNG_VERSION
        0x8400_0053 or 0xC400_0053 => 32, // TRNG_RND: bits
        0xC500_0020 => 0xC500_0021, // PV_TIME_FEATURES of PV_TIME_ST
        _ => 0,
    };

    private static IEnumerable<uint> Range(uint first, uint count) => Enumerable.Range(0, (int)count).Select(n => first + (uint)n);
}

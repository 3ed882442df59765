using Hypercalls.Protos;

namespace Hypercalls.Client.Kernel;

/// <summary>The calls that KVM on arm64 knows, and what each depends on (Linux, arch/arm64/kvm/hypercalls.c and psci.c, as measured on 6.1, 6.12, 7.2 and 7.3).</summary>
internal static class KvmFunctions
{
    private const uint Psci02 = 0x0000_0002;
    private const uint Psci10 = 0x0001_0000;
    private const uint Psci11 = 0x0001_0001;
    private const uint Psci13 = 0x0001_0003;

    private static readonly KvmFunction[] s_table =
    [
#pragma warning disable format // a table, to be read by column
        //  First         Last           depends on
        new(0x8000_0000,  0x8000_0001,   new KvmGate.Always()),                        // SMCCC_VERSION, ARCH_FEATURES
        new(0x8000_3FFF,  0x8000_3FFF,   new KvmGate.AlwaysByHvc()),                   // WORKAROUND_3
        new(0x8000_7FFF,  0x8000_8000,   new KvmGate.AlwaysByHvc()),                   // WORKAROUND_2, WORKAROUND_1
        new(0x8400_0000,  0x8400_0004,   new KvmGate.Psci(Psci02)),                    // PSCI_VERSION to AFFINITY_INFO
        new(0xC400_0001,  0xC400_0001,   new KvmGate.Psci(Psci02)),                    // CPU_SUSPEND
        new(0xC400_0003,  0xC400_0004,   new KvmGate.Psci(Psci02)),                    // CPU_ON, AFFINITY_INFO
        new(0x8400_0006,  0x8400_0006,   new KvmGate.Psci(Psci02)),                    // MIGRATE_INFO_TYPE
        new(0x8400_0008,  0x8400_0009,   new KvmGate.Psci(Psci02)),                    // SYSTEM_OFF, SYSTEM_RESET
        new(0x8400_000A,  0x8400_000A,   new KvmGate.Psci(Psci10)),                    // PSCI_FEATURES
        new(0x8400_000E,  0x8400_000E,   new KvmGate.SystemSuspend(Psci10)),           // SYSTEM_SUSPEND
        new(0xC400_000E,  0xC400_000E,   new KvmGate.SystemSuspend(Psci10)),
        new(0x8400_0012,  0x8400_0012,   new KvmGate.Psci(Psci11)),                    // SYSTEM_RESET2
        new(0xC400_0012,  0xC400_0012,   new KvmGate.Psci(Psci11)),
        new(0x8400_0015,  0x8400_0015,   new KvmGate.Psci(Psci13)),                    // SYSTEM_OFF2
        new(0xC400_0015,  0xC400_0015,   new KvmGate.Psci(Psci13)),
        new(0x95C1_BA5F,  0x95C1_BA60,   new KvmGate.Psci01()),                        // CPU_OFF, CPU_ON of PSCI 0.1
        new(0x8400_0050,  0x8400_0053,   new KvmGate.Bitmap("STD_BMAP", 0)),           // TRNG
        new(0xC400_0053,  0xC400_0053,   new KvmGate.Bitmap("STD_BMAP", 0)),
        new(0xC500_0020,  0xC500_0021,   new KvmGate.PvTime()),                         // PV time
        new(0x8600_0000,  0x8600_0000,   new KvmGate.Bitmap("VENDOR_HYP_BMAP", 0)),    // features
        new(0x8600_FF01,  0x8600_FF01,   new KvmGate.Bitmap("VENDOR_HYP_BMAP", 0)),    // UID
        new(0x8600_0001,  0x8600_0001,   new KvmGate.Bitmap("VENDOR_HYP_BMAP", 1)),    // PTP

        // What the kernel's PSCI takes and answers with NOT_SUPPORTED; rows above come first.
        new(0x0400_0000,  0x0400_001F,   new KvmGate.Claimed()),
        new(0x4400_0000,  0x4400_001F,   new KvmGate.Claimed()),
        new(0x8400_0000,  0x8400_001F,   new KvmGate.Claimed()),
        new(0xC400_0000,  0xC400_001F,   new KvmGate.Claimed()),
        new(0x95C1_BA5E,  0x95C1_BA61,   new KvmGate.Claimed()),
#pragma warning restore format
    ];

    /// <summary>Every row.</summary>
    public static ReadOnlySpan<KvmFunction> Table => s_table;

    /// <summary>The kernel's way with one call that no filter range takes.</summary>
    public static KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isAArch32, uint id)
    {
        foreach (var function in s_table)
        {
            if (id >= function.First && id <= function.Last)
            {
                return function.Gate.Decide(firmware, conduit, isAArch32 && IsSmc64(id));
            }
        }

        return new(Disposition.Unserved, ForwardRanges.IsReserved(id) ? "reserved to the kernel, which answers NOT_SUPPORTED" : "no filter range forwards it");
    }

    private static bool IsSmc64(uint id) => (id & 1u << 30) != 0;
}

/// <summary>Functions that depend on one thing.</summary>
internal sealed record KvmFunction(uint First, uint Last, KvmGate Gate);

/// <summary>What a kernel does with a call, and by which mechanism.</summary>
internal readonly record struct KernelVerdict(Disposition Disposition, string Reason);

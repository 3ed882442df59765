using System.Collections;

namespace Hypercalls.Sdk;

/// <summary>The function tables of DEN0022 (PSCI), DEN0054 (SDEI), DEN0028 (SMCCC), DEN0098 (TRNG), DEN0057 (PV time) and KVM, one row per function.</summary>
internal static class KnownFunctions
{
    public static IReadOnlyList<NamedFunction> Table { get; } =
    [
        .. new Family("PSCI 0.1", "PSCI_0_1_")
        {
            // Identifiers              Name
            { 0x95C1_BA5E,              "PSCI_0_1_CPU_SUSPEND" },
            { 0x95C1_BA5F,              "PSCI_0_1_CPU_OFF" },
            { 0x95C1_BA60,              "PSCI_0_1_CPU_ON" },
            { 0x95C1_BA61,              "PSCI_0_1_MIGRATE" },
        },
        .. new Family("PSCI", "PSCI_")
        {
            { 0x8400_0000,              "PSCI_VERSION" },
            { 0x8400_0001, 0xC400_0001, "CPU_SUSPEND" },
            { 0x8400_0002,              "CPU_OFF" },
            { 0x8400_0003, 0xC400_0003, "CPU_ON" },
            { 0x8400_0004, 0xC400_0004, "AFFINITY_INFO" },
            { 0x8400_0005, 0xC400_0005, "MIGRATE" },
            { 0x8400_0006,              "MIGRATE_INFO_TYPE" },
            { 0x8400_0007, 0xC400_0007, "MIGRATE_INFO_UP_CPU" },
            { 0x8400_0008,              "SYSTEM_OFF" },
            { 0x8400_0009,              "SYSTEM_RESET" },
            { 0x8400_000A,              "PSCI_FEATURES" },
            { 0x8400_000B,              "CPU_FREEZE" },
            { 0x8400_000C, 0xC400_000C, "CPU_DEFAULT_SUSPEND" },
            { 0x8400_000D, 0xC400_000D, "NODE_HW_STATE" },
            { 0x8400_000E, 0xC400_000E, "SYSTEM_SUSPEND" },
            { 0x8400_000F,              "PSCI_SET_SUSPEND_MODE" },
            { 0x8400_0010, 0xC400_0010, "PSCI_STAT_RESIDENCY" },
            { 0x8400_0011, 0xC400_0011, "PSCI_STAT_COUNT" },
            { 0x8400_0012, 0xC400_0012, "SYSTEM_RESET2" },
            { 0x8400_0013,              "MEM_PROTECT" },
            { 0x8400_0014, 0xC400_0014, "MEM_PROTECT_CHECK_RANGE" },
            { 0x8400_0015, 0xC400_0015, "SYSTEM_OFF2" },
        },
        .. new Family("SDEI", "SDEI_")
        {
            { 0xC400_0020,              "SDEI_VERSION" },
            { 0xC400_0021,              "SDEI_EVENT_REGISTER" },
            { 0xC400_0022,              "SDEI_EVENT_ENABLE" },
            { 0xC400_0023,              "SDEI_EVENT_DISABLE" },
            { 0xC400_0024,              "SDEI_EVENT_CONTEXT" },
            { 0xC400_0025,              "SDEI_EVENT_COMPLETE" },
            { 0xC400_0026,              "SDEI_EVENT_COMPLETE_AND_RESUME" },
            { 0xC400_0027,              "SDEI_EVENT_UNREGISTER" },
            { 0xC400_0028,              "SDEI_EVENT_STATUS" },
            { 0xC400_0029,              "SDEI_EVENT_GET_INFO" },
            { 0xC400_002A,              "SDEI_EVENT_ROUTING_SET" },
            { 0xC400_002B,              "SDEI_PE_MASK" },
            { 0xC400_002C,              "SDEI_PE_UNMASK" },
            { 0xC400_002D,              "SDEI_INTERRUPT_BIND" },
            { 0xC400_002E,              "SDEI_INTERRUPT_RELEASE" },
            { 0xC400_002F,              "SDEI_EVENT_SIGNAL" },
            { 0xC400_0030,              "SDEI_FEATURES" },
            { 0xC400_0031,              "SDEI_PRIVATE_RESET" },
            { 0xC400_0032,              "SDEI_SHARED_RESET" },
        },
        .. new Family("SMCCC", "SMCCC_")
        {
            { 0x8000_0000,              "SMCCC_VERSION" },
            { 0x8000_0001,              "SMCCC_ARCH_FEATURES" },
            { 0x8000_0002, 0xC000_0002, "SMCCC_ARCH_SOC_ID" },
            { 0xC000_0003,              "SMCCC_ARCH_FEATURE_AVAILABILITY" },
            { 0xC000_0005,              "CLEAN_INV_MEMREGION" },
            { 0xC000_0006,              "CLEAN_INV_MEMREGION_ATTRIBUTES" },
        },
        .. new Family("SMCCC workarounds", "SMCCC_")
        {
            { 0x8000_8000,              "SMCCC_ARCH_WORKAROUND_1" },
            { 0x8000_7FFF,              "SMCCC_ARCH_WORKAROUND_2" },
            { 0x8000_3FFF,              "SMCCC_ARCH_WORKAROUND_3" },
            { 0x8000_0004,              "SMCCC_ARCH_WORKAROUND_4" },
        },
        .. new Family("TRNG", "TRNG_")
        {
            { 0x8400_0050,              "TRNG_VERSION" },
            { 0x8400_0051,              "TRNG_FEATURES" },
            { 0x8400_0052,              "TRNG_GET_UUID" },
            { 0x8400_0053, 0xC400_0053, "TRNG_RND" },
        },
        .. new Family("PV time", "PV_TIME_")
        {
            { 0xC500_0020,              "PV_TIME_FEATURES" },
            { 0xC500_0021,              "PV_TIME_ST" },
        },
        .. new Family("KVM vendor hypervisor", "KVM_")
        {
            { 0x8600_0000,              "KVM_FEATURES" },
            { 0x8600_0001,              "KVM_PTP" },
            { 0xC600_0002,              "KVM_HYP_MEMINFO" },
            { 0xC600_0003,              "KVM_MEM_SHARE" },
            { 0xC600_0004,              "KVM_MEM_UNSHARE" },
            { 0xC600_0007,              "KVM_MMIO_GUARD" },
            { 0xC600_0040,              "KVM_DISCOVER_IMPL_VER" },
            { 0xC600_0041,              "KVM_DISCOVER_IMPL_CPUS" },
        },
        .. Queries(0x8100_0000, "CPU_"),
        .. Queries(0x8200_0000, "SIP_"),
        .. Queries(0x8300_0000, "OEM_"),
        .. Queries(0x8400_0000, "STD_SECURE_"),
        .. Queries(0x8500_0000, "STD_HYP_"),
        .. Queries(0x8600_0000, "VENDOR_HYP_"),
        .. Queries(0x8700_0000, "VENDOR_EL3_"),
        .. Queries(0xB000_0000, "TRUSTED_APP_"),
        .. Queries(0xBF00_0000, "TRUSTED_OS_"),
    ];

    // Every owner but the Arm Architecture service has the same three (DEN0028, General service queries).
    private static Family Queries(uint owner, string prefix) => new("General queries", prefix)
    {
        { owner | 0xFF00, prefix + "CALL_COUNT" },
        { owner | 0xFF01, prefix + "CALL_UID" },
        { owner | 0xFF03, prefix + "REVISION" },
    };

    private sealed class Family(string name, string prefix) : IEnumerable<NamedFunction>
    {
        private readonly List<NamedFunction> _functions = [];

        public void Add(uint id, string function) => _functions.Add(new([new(id)], function, name, prefix));

        public void Add(uint smc32, uint smc64, string function) => _functions.Add(new([new(smc32), new(smc64)], function, name, prefix));

        public IEnumerator<NamedFunction> GetEnumerator() => _functions.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

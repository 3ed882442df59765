using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class FunctionNamesTests
{
    [Theory]
    // DEN0022
    [InlineData("PSCI_VERSION", 0x8400_0000)]
    [InlineData("CPU_SUSPEND", 0x8400_0001, 0xC400_0001)]
    [InlineData("CPU_OFF", 0x8400_0002)]
    [InlineData("CPU_ON", 0x8400_0003, 0xC400_0003)]
    [InlineData("AFFINITY_INFO", 0x8400_0004, 0xC400_0004)]
    [InlineData("MIGRATE", 0x8400_0005, 0xC400_0005)]
    [InlineData("MIGRATE_INFO_TYPE", 0x8400_0006)]
    [InlineData("MIGRATE_INFO_UP_CPU", 0x8400_0007, 0xC400_0007)]
    [InlineData("SYSTEM_OFF", 0x8400_0008)]
    [InlineData("SYSTEM_RESET", 0x8400_0009)]
    [InlineData("PSCI_FEATURES", 0x8400_000A)]
    [InlineData("CPU_FREEZE", 0x8400_000B)]
    [InlineData("CPU_DEFAULT_SUSPEND", 0x8400_000C, 0xC400_000C)]
    [InlineData("NODE_HW_STATE", 0x8400_000D, 0xC400_000D)]
    [InlineData("SYSTEM_SUSPEND", 0x8400_000E, 0xC400_000E)]
    [InlineData("PSCI_SET_SUSPEND_MODE", 0x8400_000F)]
    [InlineData("PSCI_STAT_RESIDENCY", 0x8400_0010, 0xC400_0010)]
    [InlineData("PSCI_STAT_COUNT", 0x8400_0011, 0xC400_0011)]
    [InlineData("SYSTEM_RESET2", 0x8400_0012, 0xC400_0012)]
    [InlineData("MEM_PROTECT", 0x8400_0013)]
    [InlineData("MEM_PROTECT_CHECK_RANGE", 0x8400_0014, 0xC400_0014)]
    [InlineData("SYSTEM_OFF2", 0x8400_0015, 0xC400_0015)]
    [InlineData("PSCI_0_1_CPU_SUSPEND", 0x95C1_BA5E)]
    [InlineData("PSCI_0_1_CPU_OFF", 0x95C1_BA5F)]
    [InlineData("PSCI_0_1_CPU_ON", 0x95C1_BA60)]
    [InlineData("PSCI_0_1_MIGRATE", 0x95C1_BA61)]
    // DEN0054
    [InlineData("SDEI_VERSION", 0xC400_0020)]
    [InlineData("SDEI_EVENT_REGISTER", 0xC400_0021)]
    [InlineData("SDEI_EVENT_ENABLE", 0xC400_0022)]
    [InlineData("SDEI_EVENT_DISABLE", 0xC400_0023)]
    [InlineData("SDEI_EVENT_CONTEXT", 0xC400_0024)]
    [InlineData("SDEI_EVENT_COMPLETE", 0xC400_0025)]
    [InlineData("SDEI_EVENT_COMPLETE_AND_RESUME", 0xC400_0026)]
    [InlineData("SDEI_EVENT_UNREGISTER", 0xC400_0027)]
    [InlineData("SDEI_EVENT_STATUS", 0xC400_0028)]
    [InlineData("SDEI_EVENT_GET_INFO", 0xC400_0029)]
    [InlineData("SDEI_EVENT_ROUTING_SET", 0xC400_002A)]
    [InlineData("SDEI_PE_MASK", 0xC400_002B)]
    [InlineData("SDEI_PE_UNMASK", 0xC400_002C)]
    [InlineData("SDEI_INTERRUPT_BIND", 0xC400_002D)]
    [InlineData("SDEI_INTERRUPT_RELEASE", 0xC400_002E)]
    [InlineData("SDEI_EVENT_SIGNAL", 0xC400_002F)]
    [InlineData("SDEI_FEATURES", 0xC400_0030)]
    [InlineData("SDEI_PRIVATE_RESET", 0xC400_0031)]
    [InlineData("SDEI_SHARED_RESET", 0xC400_0032)]
    // DEN0028
    [InlineData("SMCCC_VERSION", 0x8000_0000)]
    [InlineData("SMCCC_ARCH_FEATURES", 0x8000_0001)]
    [InlineData("SMCCC_ARCH_SOC_ID", 0x8000_0002, 0xC000_0002)]
    [InlineData("SMCCC_ARCH_FEATURE_AVAILABILITY", 0xC000_0003)]
    [InlineData("CLEAN_INV_MEMREGION", 0xC000_0005)]
    [InlineData("CLEAN_INV_MEMREGION_ATTRIBUTES", 0xC000_0006)]
    [InlineData("SMCCC_ARCH_WORKAROUND_1", 0x8000_8000)]
    [InlineData("SMCCC_ARCH_WORKAROUND_2", 0x8000_7FFF)]
    [InlineData("SMCCC_ARCH_WORKAROUND_3", 0x8000_3FFF)]
    [InlineData("SMCCC_ARCH_WORKAROUND_4", 0x8000_0004)]
    // DEN0098, DEN0057, KVM
    [InlineData("TRNG_VERSION", 0x8400_0050)]
    [InlineData("TRNG_FEATURES", 0x8400_0051)]
    [InlineData("TRNG_GET_UUID", 0x8400_0052)]
    [InlineData("TRNG_RND", 0x8400_0053, 0xC400_0053)]
    [InlineData("PV_TIME_FEATURES", 0xC500_0020)]
    [InlineData("PV_TIME_ST", 0xC500_0021)]
    [InlineData("KVM_FEATURES", 0x8600_0000)]
    [InlineData("KVM_PTP", 0x8600_0001)]
    [InlineData("KVM_HYP_MEMINFO", 0xC600_0002)]
    [InlineData("KVM_MEM_SHARE", 0xC600_0003)]
    [InlineData("KVM_MEM_UNSHARE", 0xC600_0004)]
    [InlineData("KVM_MMIO_GUARD", 0xC600_0007)]
    [InlineData("KVM_DISCOVER_IMPL_VER", 0xC600_0040)]
    [InlineData("KVM_DISCOVER_IMPL_CPUS", 0xC600_0041)]
    // General queries
    [InlineData("CPU_CALL_COUNT", 0x8100_FF00)]
    [InlineData("SIP_CALL_UID", 0x8200_FF01)]
    [InlineData("OEM_REVISION", 0x8300_FF03)]
    [InlineData("STD_SECURE_CALL_COUNT", 0x8400_FF00)]
    [InlineData("STD_HYP_CALL_UID", 0x8500_FF01)]
    [InlineData("VENDOR_HYP_CALL_UID", 0x8600_FF01)]
    [InlineData("VENDOR_EL3_REVISION", 0x8700_FF03)]
    [InlineData("TRUSTED_APP_CALL_COUNT", 0xB000_FF00)]
    [InlineData("TRUSTED_OS_REVISION", 0xBF00_FF03)]
    public void Names_and_numbers_agree(string name, params uint[] ids)
    {
        Assert.True(FunctionNames.TryGetId(name, out var found));
        Assert.Equal(ids.Select(id => new FunctionId(id)), found);
        foreach (var id in ids)
        {
            Assert.True(FunctionNames.TryGetName(new(id), out var back));
            Assert.Equal(name, back);
        }
    }

    [Theory]
    [InlineData("cpu_on", 0x8400_0003)]
    [InlineData("PSCI_CPU_ON", 0x8400_0003)]
    [InlineData("Psci_Cpu_On", 0x8400_0003)]
    [InlineData("PSCI_SYSTEM_OFF", 0x8400_0008)]
    [InlineData("SET_SUSPEND_MODE", 0x8400_000F)]
    [InlineData("EVENT_REGISTER", 0xC400_0021)]
    [InlineData("PE_MASK", 0xC400_002B)]
    [InlineData("ARCH_FEATURES", 0x8000_0001)]
    [InlineData("RND", 0x8400_0053)]
    public void Takes_other_spellings(string name, uint first)
    {
        Assert.True(FunctionNames.TryGetId(name, out var ids));
        Assert.Equal(new FunctionId(first), ids[0]);
    }

    [Theory]
    [InlineData("VERSION")]  // PSCI's, SDEI's, SMCCC's or TRNG's
    [InlineData("FEATURES")]
    [InlineData("CALL_UID")]
    [InlineData("")]
    [InlineData("CPU_")]
    [InlineData("0x84000003")]
    public void Knows_no_function_of_that_name(string name)
    {
        Assert.False(FunctionNames.TryGetId(name, out var ids));
        Assert.Equal(default, ids);
    }

    [Theory]
    [InlineData(0x8401_0003, "CPU_ON")] // the SVE hint
    [InlineData(0xC401_0021, "SDEI_EVENT_REGISTER")]
    public void Looks_past_the_SVE_hint(uint id, string name)
    {
        Assert.True(FunctionNames.TryGetName(new(id), out var found));
        Assert.Equal(name, found);
    }

    [Theory]
    [InlineData(0xC400_0000)] // no SMC64 form
    [InlineData(0x8400_0016)]
    [InlineData(0x8400_0020)] // SDEI has no SMC32 form
    [InlineData(0xC400_0033)]
    [InlineData(0x8402_0003)] // bit 17
    [InlineData(0x0400_0003)] // yielding
    [InlineData(0x8000_FF00)] // the architecture has no general queries
    [InlineData(0x8400_FF02)] // reserved
    public void Has_no_name_for_what_nobody_defines(uint id) => Assert.False(FunctionNames.TryGetName(new(id), out _));

    [Theory]
    [InlineData("CPU_NO", "CPU_ON")]
    [InlineData("cpuon", "CPU_ON")]
    [InlineData("PSCI_CPUON", "CPU_ON")]
    [InlineData("SDEI_EVENT_REGISTRE", "SDEI_EVENT_REGISTER")]
    [InlineData("SYSTEM_OF", "SYSTEM_OFF")]
    [InlineData("SMCC_VERSION", "SMCCC_VERSION")]
    public void Suggests_the_nearest_first(string typed, string meant) => Assert.Equal(meant, FunctionNames.Closest(typed)[0]);

    [Fact]
    public void Suggests_all_owners_of_a_shared_name() =>
        Assert.Equal(["PSCI_VERSION", "SDEI_VERSION", "SMCCC_VERSION", "TRNG_VERSION"], FunctionNames.Closest("VERSION").Take(4));

    [Theory]
    [InlineData("")]
    [InlineData("SOMETHING_ELSE_ALTOGETHER")]
    public void Suggests_nothing_where_nothing_is_near(string typed) => Assert.Empty(FunctionNames.Closest(typed));

    [Fact]
    public void Does_not_measure_very_long_words() => Assert.Empty(FunctionNames.Closest(new('A', 1_000_000)));

    [Fact]
    public void No_identifier_and_no_name_stands_twice()
    {
        var ids = FunctionNames.Functions.SelectMany(function => function.Ids).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        var names = FunctionNames.Functions.Select(function => function.Name).ToList();
        Assert.Equal(names.Count, names.Distinct().Count());
    }
}

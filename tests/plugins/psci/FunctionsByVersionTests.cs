using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Psci;

/// <summary>The table of functions (DEN0022, Functions): each in every version and in both forms, by calling it and by PSCI_FEATURES.</summary>
public sealed class FunctionsByVersionTests
{
    private const string Never = "9.9";

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          n     SMC64  since  flags
    [InlineData(0x00, false, "0.2", -1)] // PSCI_VERSION
    [InlineData(0x01, true,  "0.2", 1)]  // CPU_SUSPEND: original StateID format, OS-initiated mode
    [InlineData(0x02, false, "0.2", -1)] // CPU_OFF
    [InlineData(0x03, true,  "0.2", -1)] // CPU_ON
    [InlineData(0x04, true,  "0.2", -1)] // AFFINITY_INFO
    [InlineData(0x05, true,  Never, -1)] // MIGRATE: no Trusted OS
    [InlineData(0x06, false, "0.2", -1)] // MIGRATE_INFO_TYPE
    [InlineData(0x07, true,  Never, -1)] // MIGRATE_INFO_UP_CPU: no Trusted OS
    [InlineData(0x08, false, "0.2", -1)] // SYSTEM_OFF
    [InlineData(0x09, false, "0.2", -1)] // SYSTEM_RESET
    [InlineData(0x0A, false, "1.0", -1)] // PSCI_FEATURES
    [InlineData(0x0B, false, "1.0", -1)] // CPU_FREEZE
    [InlineData(0x0C, true,  "1.0", -1)] // CPU_DEFAULT_SUSPEND
    [InlineData(0x0D, true,  "1.0", -1)] // NODE_HW_STATE
    [InlineData(0x0E, true,  "1.0", -1)] // SYSTEM_SUSPEND
    [InlineData(0x0F, false, "1.0", -1)] // PSCI_SET_SUSPEND_MODE
    [InlineData(0x10, true,  "1.0", -1)] // PSCI_STAT_RESIDENCY
    [InlineData(0x11, true,  "1.0", -1)] // PSCI_STAT_COUNT
    [InlineData(0x12, true,  "1.1", -1)] // SYSTEM_RESET2
    [InlineData(0x13, false, "1.1", -1)] // MEM_PROTECT
    [InlineData(0x14, true,  "1.1", -1)] // MEM_PROTECT_CHECK_RANGE
    [InlineData(0x15, true,  "1.3", 1)]  // SYSTEM_OFF2: HIBERNATE_OFF. As CLEAN_INV_MEMREGION it was in a draft only
    [InlineData(0x16, true,  Never, -1)] // reserved, as all that follow
    [InlineData(0x17, true,  Never, -1)]
    [InlineData(0x18, true,  Never, -1)]
    [InlineData(0x19, true,  Never, -1)]
    [InlineData(0x1A, true,  Never, -1)]
    [InlineData(0x1B, true,  Never, -1)]
    [InlineData(0x1C, true,  Never, -1)]
    [InlineData(0x1D, true,  Never, -1)]
    [InlineData(0x1E, true,  Never, -1)]
    [InlineData(0x1F, true,  Never, -1)]
#pragma warning restore format
    public void Is_there_or_not(uint number, bool hasSmc64, string since, int flags)
    {
        foreach (var version in new Version[] { new(0, 2), new(1, 0), new(1, 1), new(1, 2), new(1, 3) })
        {
            foreach (var id in new[] { 0x8400_0000 + number, 0xC400_0000 + number })
            {
                var isThere = version >= Version.Parse(since) && (id < 0xC400_0000 || hasSmc64);
                var machine = new TestMachine(new PsciService(new() { Version = version }));

                var features = version.Major == 0 || !isThere ? Answer.NotSupported : flags < 0 ? Answer.Success : Answer.Value((ulong)flags);
                Assert.Equal(features, machine.Call(Ids.PsciFeatures, id));
                Assert.True(isThere == (machine.Call(id, Ids.PsciVersion) != Answer.NotSupported), $"0x{id:X} in {version}");
                Assert.Equal(Answer.NotSupported, machine.Core(0).AArch32.Call(id | Ids.Smc64));
                Assert.Empty(machine.Failures);
            }
        }
    }

    [Theory]
    [InlineData("0.2", 0x2)]
    [InlineData("1.0", 0x1_0000)]
    [InlineData("1.1", 0x1_0001)]
    [InlineData("1.2", 0x1_0002)]
    [InlineData("1.3", 0x1_0003)]
    public void PSCI_VERSION(string version, ulong value)
    {
        var service = new PsciService(new() { Version = Version.Parse(version) });
        Assert.Equal(Answer.Value(value), new TestMachine(service).Call(Ids.PsciVersion));
        Assert.Equal(version, service.Version);
    }

    [Fact]
    public void PSCI_VERSION_is_1_3_unless_configured() => Assert.Equal(Answer.Value(0x1_0003), new TestMachine(new PsciService()).Call(Ids.PsciVersion));

    [Theory]
    [InlineData(0x95C1_BA5E)] // PSCI 0.1: CPU_SUSPEND
    [InlineData(0x95C1_BA5F)] // CPU_OFF
    [InlineData(0x95C1_BA60)] // CPU_ON
    [InlineData(0x95C1_BA61)] // MIGRATE
    public void PSCI_0_1_is_not_served(uint id) => Assert.Equal(Answer.NotSupported, new TestMachine(new PsciService()).Call(id));

    [Fact]
    public void MIGRATE_INFO_TYPE_says_that_no_Trusted_OS_has_to_migrate() =>
        Assert.Equal(Answer.Value(2), new TestMachine(new PsciService()).Call(Ids.MigrateInfoType));

    [Fact]
    public void The_mandatory_functions_are_those_of_the_specification() => Assert.Equal(
        [0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x09, 0x0A],
        new PsciService().Functions.Where(row => row.Traits.IsMandatory).Select(row => (int)row.Ids[0].Number));

    [Fact]
    public void Functions_that_do_not_return_have_no_fallback() => Assert.Equal(
        ["CPU_OFF", "SYSTEM_OFF", "SYSTEM_RESET", "CPU_FREEZE", "SYSTEM_RESET2", "SYSTEM_OFF2"],
        new PsciService().Functions.Where(row => row.Traits.IsNoReturn).Select(row => row.Name));
}

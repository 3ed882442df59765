using Hypercalls.Hello;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Smccc;

public sealed class SmcccServiceTests
{
    private const uint SmcccVersion = 0x8000_0000;
    private const uint ArchFeatures = 0x8000_0001;
    private const uint SocId32 = 0x8000_0002;
    private const uint SocId64 = 0xC000_0002;

    private static readonly SocId s_soc = new() { Bank = 4, Code = 0x3B, Number = 0x1234, Revision = 0x7654_3210 };

    private readonly TestMachine _machine = new(new SmcccService(), new PsciService(), new HelloService());

    [Theory]
    // version, SMCCC_VERSION
    [InlineData("1.1", 0x1_0001)]
    [InlineData("1.2", 0x1_0002)]
    [InlineData("1.3", 0x1_0003)]
    public void Reports_its_version(string version, ulong value) =>
        Assert.Equal(Answer.Value(value), new TestMachine(Set(version)).Call(SmcccVersion));

    [Fact]
    public void Reports_1_3_by_default() => Assert.Equal(Answer.Value(0x1_0003), _machine.Call(SmcccVersion));

    [Fact]
    public void Version_1_0_has_none_of_these_calls()
    {
        var machine = new TestMachine(Set("1.0"), new PsciService());
        Assert.Equal(Answer.NotSupported, machine.Call(SmcccVersion));
        Assert.Equal(Answer.NotSupported, machine.Call(ArchFeatures, SmcccVersion));
        Assert.Equal(Answer.Status(-1), machine.Call(0x8400_000A, SmcccVersion)); // PSCI_FEATURES: how a guest learns it
    }

    [Theory]
    [InlineData("0.9")]
    [InlineData("1.4")]
    [InlineData("2.0")]
    [InlineData("1.2.1")]
    public void Other_versions_are_refused(string version) =>
        Assert.Equal($"{version} is no version that is served; give one from 1.0 to 1.3 (Parameter 'Version')", Assert.Throws<ArgumentException>(() => Set(version)).Message);

    [Theory]
    [InlineData(0x8000_0000, 0)]  // SMCCC_VERSION
    [InlineData(0x8000_0001, 0)]  // SMCCC_ARCH_FEATURES
    [InlineData(0x8001_0000, -1)] // with the hint, which is part of a call and of no identifier
    [InlineData(0x8000_0002, -1)] // SMCCC_ARCH_SOC_ID: not set
    [InlineData(0xC000_0002, -1)] // the same
    [InlineData(0xC000_0003, -1)] // SMCCC_ARCH_FEATURE_AVAILABILITY
    [InlineData(0x8000_0004, -1)] // SMCCC_ARCH_WORKAROUND_4
    [InlineData(0xC000_0005, -1)] // CLEAN_INV_MEMREGION
    [InlineData(0xC000_0006, -1)] // CLEAN_INV_MEMREGION_ATTRIBUTES
    [InlineData(0x8000_8000, -1)] // SMCCC_ARCH_WORKAROUND_1
    [InlineData(0x8000_7FFF, -1)] // SMCCC_ARCH_WORKAROUND_2
    [InlineData(0x8000_3FFF, -1)] // SMCCC_ARCH_WORKAROUND_3
    [InlineData(0xC000_0000, -1)] // no SMC64 twin of SMCCC_VERSION
    [InlineData(0x8000_FF00, -1)] // the architecture has no general queries
    [InlineData(0x0000_0000, -1)] // a yielding call
    [InlineData(0x8002_0000, -1)] // bit 17 must be zero
    [InlineData(0x8400_0000, -1)] // PSCI_VERSION: served, but of another owner
    [InlineData(0x8400_FF00, -1)] // its Call Count: the same
    [InlineData(0x8200_0000, -1)] // HELLO_VERSION: the same
    [InlineData(0xC500_0020, -1)] // PV_TIME_FEATURES: not served here
    [InlineData(0xC500_0021, -1)] // PV_TIME_ST
    public void Knows_which_architecture_calls_are_served(uint asked, int status) =>
        Assert.Equal(Answer.Status(status), _machine.Call(ArchFeatures, asked));

    [Theory]
    [InlineData(0x8000_8000)] // SMCCC_ARCH_WORKAROUND_1
    [InlineData(0x8000_7FFF)] // SMCCC_ARCH_WORKAROUND_2
    [InlineData(0x8000_3FFF)] // SMCCC_ARCH_WORKAROUND_3
    [InlineData(0x8000_0004)] // SMCCC_ARCH_WORKAROUND_4
    [InlineData(SocId32)]
    [InlineData(SocId64)]
    public void What_a_machine_lacks_is_no_function(uint id) => Assert.Equal(Answer.NotSupported, _machine.Call(id, 1));

    [Theory]
    [InlineData(0x8000_8000, 0)]  // of the architecture
    [InlineData(0xC500_0020, 0)]  // PV_TIME_FEATURES is asked about here (DEN0057)
    [InlineData(0xC500_0021, -1)] // PV_TIME_ST is asked about by PV_TIME_FEATURES
    public void Finds_a_function_of_another_service(uint id, int status)
    {
        var other = new TableService("OTHER", new() { { id, "F", Nothing } });
        Assert.Equal(Answer.Status(status), new TestMachine(new SmcccService(), other).Call(ArchFeatures, id));
    }

    [Theory]
    // asked, status
    [InlineData(0x8000_0000, 0)]  // forwarded and served
    [InlineData(0x8000_0002, -1)] // refused by the kernel, although served here
    [InlineData(0xC000_0002, 0)]  // its twin is forwarded
    [InlineData(0x8000_8000, 0)]  // the kernel's own
    [InlineData(0x8000_8001, -1)] // forwarded, and nobody's
    public void What_the_kernel_keeps_counts_as_the_machine_has_it(uint asked, int status)
    {
        var machine = new TestMachine(Set("1.3", s_soc)) { Kernel = new TestKernel().Answers(0x8000_8000, 0x8000_8000).Refuses(SocId32, SocId32) };
        Assert.Equal(Answer.Status(status), machine.Call(ArchFeatures, asked));
    }

    [Theory]
    [InlineData(SmcccVersion, 0)]
    [InlineData(SocId32, 0)]
    [InlineData(SocId64, -1)] // SMC64 is not for AArch32
    public void AArch32_callers_are_told_what_they_can_call(uint asked, int status)
    {
        var core = new TestMachine(Set("1.3", s_soc)).Core(0).AArch32;
        Assert.Equal(Answer.Status(status), core.Call(ArchFeatures, asked));
        Assert.Equal(Answer.Status(status), core.Smc.Call(ArchFeatures, asked));
        Assert.Equal(Answer.Value(0x1_0003), core.Call(SmcccVersion));
    }

    [Fact]
    public void Ignores_the_upper_half_of_the_identifier_asked_about() =>
        Assert.Equal(Answer.Success, _machine.Call(ArchFeatures, 0xFFFF_FFFF_8000_0000));

    [Theory]
    // id, type, x0
    [InlineData(SocId32, 0ul, 0x043B_1234ul)] // bank 30:24, code 23:16, number 15:0
    [InlineData(SocId64, 0ul, 0x043B_1234ul)]
    [InlineData(SocId32, 1ul, 0x7654_3210ul)]
    [InlineData(SocId64, 1ul, 0x7654_3210ul)]
    [InlineData(SocId32, 2ul, unchecked((ulong)-3))] // the name is for SMC64
    [InlineData(SocId64, 2ul, unchecked((ulong)-3))] // there is no name
    [InlineData(SocId32, 3ul, unchecked((ulong)-3))]
    [InlineData(SocId64, 0xFFFF_FFFFul, unchecked((ulong)-3))]
    [InlineData(SocId64, 0xFFFF_FFFF_0000_0001, 0x7654_3210ul)] // W1
    public void SOC_ID_says_what_was_set(uint id, ulong type, ulong x0)
    {
        var machine = new TestMachine(Set("1.2", s_soc));
        Assert.Equal((x0, 0ul, 0ul, 0ul, 0), machine.Call(id, type) is var answer ? (answer.X0, answer.X1, answer.X2, answer.X3, answer.Beyond.Count) : default);
        Assert.Equal(Answer.Success, machine.Call(ArchFeatures, id));
    }

    [Fact]
    public void The_largest_SoC_ID_keeps_bit_31_clear() =>
        Assert.Equal(Answer.Value(0x7FFF_FFFF), new TestMachine(Set("1.2", s_soc with { Bank = 127, Code = 255, Number = 65535 })).Call(SocId32, 0));

    [Theory]
    [InlineData("A")]
    [InlineData("ACME Arm Machine, revision B")]
    [InlineData(LongestName)]
    public void The_name_fills_x1_to_x17_low_byte_first(string name)
    {
        var answer = new TestMachine(Set("1.3", s_soc with { Name = name })).Call(SocId64, 2);
        ulong[] registers = [answer.X1, answer.X2, answer.X3, .. answer.Beyond.Select(register => register.Value)];
        Assert.Equal(0ul, answer.X0);
        Assert.Equal(Enumerable.Range(4, 14), answer.Beyond.Select(register => register.Index));
        var bytes = registers.SelectMany(register => Enumerable.Range(0, 8).Select(n => (char)(register >> 8 * n & 0xFF)));
        Assert.Equal(name.PadRight(136, '\0'), string.Concat(bytes));
        Assert.Equal(Answer.Status(-3), new TestMachine(Set("1.3", s_soc with { Name = name })).Call(SocId32, 2));
    }

    private const string LongestName = "123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 12345";

    [Theory]
    // version, bank, revision, name, parameter
    [InlineData("1.1", 4, 0u, null, "SocId")]
    [InlineData("1.0", 4, 0u, null, "SocId")]
    [InlineData("1.3", 128, 0u, null, "SocId.bank")]
    [InlineData("1.3", 4, 0x8000_0000u, null, "SocId.revision")]
    [InlineData("1.3", 4, 0u, "", "SocId.name")]
    [InlineData("1.3", 4, 0u, "Tür", "SocId.name")]
    [InlineData("1.3", 4, 0u, "two\nlines", "SocId.name")]
    [InlineData("1.3", 4, 0u, LongestName + "6", "SocId.name")]
    public void A_SoC_ID_that_cannot_be_told_is_refused(string version, byte bank, uint revision, string? name, string parameter) =>
        Assert.Equal(parameter, Assert.Throws<ArgumentException>(() => Set(version, s_soc with { Bank = bank, Revision = revision, Name = name })).ParamName);

    private static SmcccService Set(string version, SocId? socId = null) => new(new() { Version = Version.Parse(version), SocId = socId });

    private static Answer Nothing(in Hypercall call) => Answer.Success;
}

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

    private readonly TestMachine _machine = new(new SmcccService(), new PsciService(), new HelloService());

    [Fact]
    public void Reports_version_1_1() => Assert.Equal(Answer.Value(0x1_0001), _machine.Call(SmcccVersion));

    [Theory]
    [InlineData(0x8000_0000, 0)]  // SMCCC_VERSION
    [InlineData(0x8000_0001, 0)]  // SMCCC_ARCH_FEATURES
    [InlineData(0x8000_0002, -1)] // SMCCC_ARCH_SOC_ID
    [InlineData(0xC000_0003, -1)] // SMCCC_ARCH_FEATURE_AVAILABILITY
    [InlineData(0x8000_8000, -1)] // SMCCC_ARCH_WORKAROUND_1
    [InlineData(0x8000_7FFF, -1)] // SMCCC_ARCH_WORKAROUND_2
    [InlineData(0x8000_3FFF, -1)] // SMCCC_ARCH_WORKAROUND_3
    [InlineData(0xC000_0000, -1)] // no SMC64 twin of SMCCC_VERSION
    [InlineData(0x0000_0000, -1)] // a yielding call
    [InlineData(0x8002_0000, -1)] // bit 17 must be zero
    [InlineData(0x8400_0000, -1)] // PSCI_VERSION: served, but of another owner
    [InlineData(0x8200_0000, -1)] // HELLO_VERSION: the same
    public void Knows_which_architecture_calls_are_served(uint asked, int status) =>
        Assert.Equal(Answer.Status(status), _machine.Call(ArchFeatures, asked));

    [Fact]
    public void Ignores_the_upper_half_of_the_identifier_asked_about() =>
        Assert.Equal(Answer.Success, _machine.Call(ArchFeatures, 0xFFFF_FFFF_8000_0000));

    [Fact]
    public void Answers_AArch32_callers_alike()
    {
        Assert.Equal(Answer.Value(0x1_0001), _machine.Core(0).AArch32.Call(SmcccVersion));
        Assert.Equal(Answer.Success, _machine.Core(0).AArch32.Smc.Call(ArchFeatures, SmcccVersion));
    }

    [Fact]
    public void Finds_an_architecture_call_of_another_service()
    {
        var workaround = new TableService("FIX", new() { { 0x8000_8000, "SMCCC_ARCH_WORKAROUND_1", Nothing } });
        Assert.Equal(Answer.Success, new TestMachine(new SmcccService(), workaround).Call(ArchFeatures, 0x8000_8000));
    }

    private static Answer Nothing(in Hypercall call) => Answer.Success;
}

using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Psci;

/// <summary>PSCI_FEATURES; what it says of PSCI's own functions stands in <see cref="FunctionsByVersionTests"/>.</summary>
public sealed class FeaturesTests
{
    private readonly TestMachine _machine = new(new PsciService(), new SmcccService());

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          format                   id             flags
    [InlineData(StateIdFormat.Original,  Ids.CpuSuspend,             0b01ul)] // bit 1: the extended format; bit 0: OS-initiated mode
    [InlineData(StateIdFormat.Original,  Ids.CpuSuspend | Ids.Smc64, 0b01ul)]
    [InlineData(StateIdFormat.Extended,  Ids.CpuSuspend,             0b11ul)]
    [InlineData(StateIdFormat.Extended,  Ids.CpuSuspend | Ids.Smc64, 0b11ul)]
#pragma warning restore format
    public void Says_the_format_of_power_state(StateIdFormat format, uint id, ulong flags) => Assert.Equal(
        Answer.Value(flags),
        new TestMachine(new PsciService(new() { StateIdFormat = format })).Call(Ids.PsciFeatures, id));

    [Fact]
    public void Knows_SMCCC_VERSION_where_it_is_served()
    {
        Assert.Equal(Answer.Success, _machine.Call(Ids.PsciFeatures, 0x8000_0000));
        Assert.Equal(Answer.NotSupported, new TestMachine(new PsciService()).Call(Ids.PsciFeatures, 0x8000_0000));
    }

    [Theory]
    [InlineData(0x8000_0001)] // SMCCC_ARCH_FEATURES: another owner's, though served
    [InlineData(0x8400_0050)] // TRNG_VERSION
    [InlineData(0xC400_0020)] // SDEI_VERSION
    [InlineData(0x8400_FF00)] // general query
    [InlineData(0x0400_0003)] // no fast call
    [InlineData(0x8402_0003)] // bits 23:17 are zero in a fast call
    [InlineData(0x8401_0003)] // bit 16 is no part of an identifier
    [InlineData(0xC400_A011)]
    [InlineData(0x0)]
    [InlineData(0xFFFF_FFFF)]
    public void Knows_nothing_else(uint id) => Platform.Refuses(_machine, -1, _machine.Core(0), Ids.PsciFeatures, id);

    [Fact]
    public void Is_asked_by_32_bits() => Assert.Equal(Answer.Success, _machine.Call(Ids.PsciFeatures, 0xFFFF_FFFF_0000_0000 | Ids.CpuOn));

    [Theory]
    [InlineData(Ids.CpuOn | Ids.Smc64, 0ul)]
    [InlineData(Ids.CpuSuspend | Ids.Smc64, 1ul)]
    [InlineData(Ids.SystemOff2 | Ids.Smc64, 1ul)]
    public void Says_the_same_to_an_AArch32_caller(uint id, ulong flags) =>
        Assert.Equal(flags, _machine.Core(0).AArch32.Call(Ids.PsciFeatures, id).X0);
}

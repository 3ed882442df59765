using Hypercalls.Hosts;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Hosts;

public sealed class GuestKindTests
{
    private static readonly GuestKind s_el1 = new();
    private static readonly GuestKind s_aarch32 = new(IsAArch32: true);
    private static readonly GuestKind s_el2 = new(ClientEl: 2);

    [Theory]
    //                M      EL1    AArch32 EL2
    [InlineData(0x00, true, false, true)] // EL0t
    [InlineData(0x01, false, false, false)]
    [InlineData(0x02, false, false, false)]
    [InlineData(0x03, false, false, false)]
    [InlineData(0x04, true, false, true)] // EL1t
    [InlineData(0x05, true, false, true)] // EL1h
    [InlineData(0x06, false, false, false)]
    [InlineData(0x07, false, false, false)]
    [InlineData(0x08, false, false, true)] // EL2t
    [InlineData(0x09, false, false, true)] // EL2h
    [InlineData(0x0a, false, false, false)]
    [InlineData(0x0b, false, false, false)]
    [InlineData(0x0c, false, false, false)] // EL3t
    [InlineData(0x0d, false, false, false)] // EL3h
    [InlineData(0x0e, false, false, false)]
    [InlineData(0x0f, false, false, false)]
    [InlineData(0x10, true, true, true)] // usr
    [InlineData(0x11, false, true, true)] // fiq
    [InlineData(0x12, false, true, true)] // irq
    [InlineData(0x13, false, true, true)] // svc
    [InlineData(0x14, false, false, false)]
    [InlineData(0x15, false, false, false)]
    [InlineData(0x16, false, false, false)] // mon
    [InlineData(0x17, false, true, true)] // abt
    [InlineData(0x18, false, false, false)]
    [InlineData(0x19, false, false, false)]
    [InlineData(0x1a, false, false, false)] // hyp
    [InlineData(0x1b, false, true, true)] // und
    [InlineData(0x1c, false, false, false)]
    [InlineData(0x1d, false, false, false)]
    [InlineData(0x1e, false, false, false)]
    [InlineData(0x1f, false, true, true)] // sys
    public void Can_be_in_the_states_of_its_level_and_those_below(ulong mode, bool el1, bool aarch32, bool el2)
    {
        var pstate = 0xf000_03c0 | mode;
        Assert.Equal((el1, aarch32, el2), (s_el1.CanBeIn(pstate), s_aarch32.CanBeIn(pstate), s_el2.CanBeIn(pstate)));
    }

    [Theory]
    //          ID_AA64PFR0 EL1, AArch32 at EL1, EL2, EL1 by HVC
    [InlineData(0x2222, null, null, null, null)]
    [InlineData(0x1112, null, "The CPU x knows no AArch32 at EL1: an AArch32 kernel cannot start on it.", null, null)]
    [InlineData(0x2022, null, null, "The CPU x has no EL2: no guest can start there.", "The CPU x has no EL2: a guest on it calls by SMC alone.")]
    public void Is_refused_by_a_CPU_that_cannot_run_it(ulong idAa64pfr0, string? el1, string? aarch32, string? el2, string? byHvc)
    {
        Assert.Equal(el1, s_el1.Refusal(idAa64pfr0, "x", Conduit.Smc));
        Assert.Equal(aarch32, s_aarch32.Refusal(idAa64pfr0, "x", Conduit.Smc));
        Assert.Equal(el2, s_el2.Refusal(idAa64pfr0, "x", Conduit.Smc));
        Assert.Equal(byHvc, s_el1.Refusal(idAa64pfr0, "x", Conduit.Hvc));
    }

    [Fact]
    public void Calls_by_HVC_where_EL2_is_there_and_not_its_own()
    {
        Assert.Equal([Conduit.Smc, Conduit.Hvc], s_el1.Conduits(0x2222));
        Assert.Equal([Conduit.Smc, Conduit.Hvc], s_aarch32.Conduits(0x2222));
        Assert.Equal([Conduit.Smc], s_aarch32.Conduits(0x2022));
        Assert.Equal([Conduit.Smc], s_el2.Conduits(0x2222));
    }
}

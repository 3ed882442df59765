using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>What a handler finds when it is entered (DEN0054, Event handler entry; DDI 0487, AArch64.TakeException).</summary>
public sealed class HandlerEntryTests
{
    private const ulong Dssbs = 1ul << 44;
    private const ulong Spintmask = 1ul << 62;
    private const ulong Span = 1ul << 23;

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          EL features       SCTLR              interrupted       handler
    [InlineData(1, "",            Span,              0x0000_0005ul,    0x0000_03C5ul)] // EL1h; D, A, I, F masked
    [InlineData(1, "",            Span,              0x0000_0000ul,    0x0000_03C5ul)] // from EL0
    [InlineData(1, "",            Span,              0x0000_0004ul,    0x0000_03C5ul)] // from EL1t
    [InlineData(1, "",            Span,              0x0000_03C5ul,    0x0000_03C5ul)] // from inside an exception's entry
    [InlineData(1, "",            Span,              0xF000_0005ul,    0xF000_03C5ul)] // N, Z, C, V kept
    [InlineData(1, "",            Span,              0x9000_0000ul,    0x9000_03C5ul)]
    [InlineData(1, "",            Span,              0x0000_0C05ul,    0x0000_03C5ul)] // BTYPE 0
    [InlineData(1, "",            Span,              0x0030_0005ul,    0x0000_03C5ul)] // IL, SS 0
    [InlineData(1, "",            Span,              0x0080_0005ul,    0x0000_03C5ul)] // UAO 0
    [InlineData(1, "",            Span,              0x0100_0005ul,    0x0100_03C5ul)] // DIT kept
    [InlineData(1, "",            Span,              0x0000_1005ul,    0x0000_03C5ul)] // SSBS is not there
    [InlineData(1, "",            Dssbs | Span,      0x0000_0005ul,    0x0000_03C5ul)]
    [InlineData(1, "SSBS",        Dssbs | Span,      0x0000_0005ul,    0x0000_13C5ul)] // SSBS from SCTLR.DSSBS
    [InlineData(1, "SSBS",        Span,              0x0000_1005ul,    0x0000_03C5ul)]
    [InlineData(1, "",            0ul,               0x0000_0005ul,    0x0000_03C5ul)] // PAN is not there
    [InlineData(1, "PAN",         0ul,               0x0000_0005ul,    0x0040_03C5ul)] // PAN 1 where SPAN = 0
    [InlineData(1, "PAN",         0ul,               0x0000_0000ul,    0x0040_03C5ul)]
    [InlineData(1, "PAN",         Span,              0x0000_0005ul,    0x0000_03C5ul)] // else kept
    [InlineData(1, "PAN",         Span,              0x0040_0005ul,    0x0040_03C5ul)]
    [InlineData(1, "NMI",         Span,              0x0000_0005ul,    0x0000_23C5ul)] // ALLINT where SPINTMASK = 0
    [InlineData(1, "NMI",         Spintmask | Span,  0x0000_2005ul,    0x0000_03C5ul)]
    [InlineData(1, "",            Span,              0x0000_2005ul,    0x0000_03C5ul)]
    [InlineData(1, "MTE1",        Span,              0x0200_0005ul,    0x0000_03C5ul)]
    [InlineData(1, "MTE2",        Span,              0x0000_0005ul,    0x0200_03C5ul)] // TCO 1 with MTE2
    [InlineData(1, "MTE3",        Span,              0x0000_0005ul,    0x0200_03C5ul)]
    [InlineData(1, "SSBS PAN NMI MTE2", Dssbs,       0xFFFF_FFE5ul,    0xF340_33C5ul)]
    [InlineData(1, "",            Span,              0x0000_0010ul,    0x0000_03C5ul)] // from AArch32, User mode
    [InlineData(1, "",            Span,              0xF60F_FE30ul,    0xF000_03C5ul)] // IT, GE, E, T, Q are not taken over
    [InlineData(1, "SSBS PAN NMI MTE2", Span | Spintmask, 0x2600_FE30ul, 0x2200_03C5ul)]
    [InlineData(1, "",            Span,              0x0000_0001_0000_0005ul, 0x0000_03C5ul)] // PM
    [InlineData(2, "",            Span,              0x0000_0009ul,    0x0000_03C9ul)] // EL2h
    [InlineData(2, "",            Span,              0xF100_0005ul,    0xF100_03C9ul)] // from a guest of its own
    [InlineData(2, "SSBS NMI MTE2", Dssbs | Span,    0x0000_0008ul,    0x0200_33C9ul)]
#pragma warning restore format
    public void PSTATE(int clientEl, string features, ulong sctlr, ulong interrupted, ulong handler)
    {
        var core = Waiting(new()
        {
            ClientEl = clientEl,
            HasSsbs = features.Contains("SSBS", StringComparison.Ordinal),
            HasPan = features.Contains("PAN", StringComparison.Ordinal),
            HasNmi = features.Contains("NMI", StringComparison.Ordinal),
            Mte = Enumerable.Range(1, 3).FirstOrDefault(mte => features.EndsWith($"MTE{mte}", StringComparison.Ordinal)),
        });
        var load = core.Enters(0, Interrupted(pstate: interrupted) with { SctlrElc = sctlr });
        Assert.Equal(
            new Effect.Load { Registers = [new(0, 0), new(1, Argument), new(2, 0x4000_1234), new(3, interrupted)], Pc = Entry, Pstate = new(handler) },
            load);

        // COMPLETE brings back what was, whatever it was.
        Assert.Equal(new Effect.Load { Registers = Saved(Interrupted()), Pc = 0x4000_1234, Pstate = new(interrupted) }, core.Completes());
    }

    [Theory]
    [InlineData(1, 0x3C5)]
    [InlineData(2, 0x3C9)]
    public void COMPLETE_AND_RESUME_has_all_other_bits_of_PSTATE_zero(int clientEl, ulong resumed)
    {
        var core = Waiting(new() { ClientEl = clientEl, HasSsbs = true, HasNmi = true, Mte = 2 });
        core.Enters(0, Interrupted(pstate: 0xF100_0000) with { SctlrElc = 0 });
        var load = Assert.IsType<Effect.Load>(core.Call(Ids.EventCompleteAndResume, Entry + 0x480).Then);
        Assert.Equal(
            new Effect.Load
            {
                Registers = Saved(Interrupted()),
                Pc = Entry + 0x480,
                Pstate = new(resumed),
                System = [new(SystemRegister.ElrElc, 0x4000_1234), new(SystemRegister.SpsrElc, 0xF100_0000)],
            },
            load);
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          entry                     flags     VBAR                      PC
    [InlineData(0xFFFF_8000_1000_0000ul,  0ul,      0xFFFF_8000_0000_0800ul,  0xFFFF_8000_1000_0000ul)]
    [InlineData(0x280ul,                  Relative, 0xFFFF_8000_0000_0800ul,  0xFFFF_8000_0000_0A80ul)]
    [InlineData(0ul,                      Relative, 0xFFFF_8000_0000_0800ul,  0xFFFF_8000_0000_0800ul)]
    [InlineData(0xFFFF_FFFF_FFFF_FFFCul,  Relative, 0xFFFF_8000_0000_0800ul,  0xFFFF_8000_0000_07FCul)] // wraps
    [InlineData(0x4ul,                    Relative, 0ul,                      0x4ul)]
#pragma warning restore format
    public void PC(ulong entry, ulong flags, ulong vbar, ulong pc)
    {
        var core = Machine().Core(0);
        core.Listens(0, flags, entry: entry);
        core.Unmasks();
        core.Signals(core);

        // VBAR is read when the event is delivered.
        Assert.Equal(pc, core.Enters(0, Interrupted() with { VbarElc = vbar }).Pc);
    }

    private static TestCore Waiting(ModelPlatform platform)
    {
        var core = Machine(platform).Core(0);
        core.Listens(0);
        core.Unmasks();
        core.Signals(core);
        return core;
    }
}

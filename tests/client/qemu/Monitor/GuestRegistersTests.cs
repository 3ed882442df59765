using Hypercalls.Hosts;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Tests.Client.Qemu.Monitor;

/// <summary>Register state of a started core (DEN0022, CPU_ON), for each kind of guest.</summary>
public sealed class GuestRegistersTests
{
    private const int Hcr = MailboxLayout.FrameHcrEl2 / 8;
    private const int Scr = MailboxLayout.FrameScrEl3 / 8;
    private const int SctlrEl2 = MailboxLayout.FrameSctlrEl2 / 8;
    private const int VbarEl2 = MailboxLayout.FrameVbarEl2 / 8;
    private const ulong Junk = 0xdead_beef_dead_beef;
    private const ulong NarrowJunk = 0xdead_beef;

    [Theory]
    //          EL AArch32 EE     E      entry             → PC           PSTATE  SCTLR
    [InlineData(1, false, false, false, 0x4040_0000, 0x4040_0000, 0x3c5, 0x30d0_0800)]
    [InlineData(1, false, true, false, 0x4040_0000, 0x4040_0000, 0x3c5, 0x32d0_0800)]
    [InlineData(2, false, false, false, 0x4040_0000, 0x4040_0000, 0x3c9, 0x30c5_0830)]
    [InlineData(2, false, true, false, 0x4040_0000, 0x4040_0000, 0x3c9, 0x32c5_0830)]
    [InlineData(1, true, false, false, 0x4040_0000, 0x4040_0000, 0x1d3, 0x00c5_0838)]
    [InlineData(1, true, false, false, 0x4040_0001, 0x4040_0000, 0x1f3, 0x00c5_0838)] // T32
    [InlineData(1, true, true, true, 0x4040_0000, 0x4040_0000, 0x3d3, 0x02c5_0838)]
    [InlineData(1, true, false, true, 0x4040_0003, 0x4040_0002, 0x3f3, 0x00c5_0838)] // after SETEND
    public void A_core_starts_with_nothing_of_its_former_life(uint el, bool aarch32, bool exceptions, bool data, ulong entry, ulong pc, ulong pstate, ulong sctlr)
    {
        var registers = Used(new(el, aarch32));
        registers.Enter(new(entry, 0x77, new(exceptions, data), Commit: 1));
        Assert.Equal([0x77, .. new ulong[30]], registers.General.ToArray());
        Assert.Equal((pc, pstate, sctlr), (registers.Pc, registers.Pstate, registers.Sctlr));
        Assert.Equal((0ul, 0ul, 0ul, 0ul, 0ul), (registers.SpEl0, registers.SpEl1, registers.Elr, registers.Spsr, registers.Vbar));
    }

    [Fact]
    public void EL1_in_AArch32_is_a_bit_of_EL2_or_of_EL3_where_there_is_no_EL2()
    {
        var registers = Used(new(IsAArch32: true));
        registers.Words[Hcr] = 1ul << 56 | 1ul << 31;
        registers.Words[Scr] = 0x535;
        registers.Enter(new(0, 0, default, 0));
        Assert.Equal((1ul << 56, 0x535ul), (registers.Words[Hcr], registers.Words[Scr]));

        registers.Words[Hcr] = registers.Words[SctlrEl2] = 0;
        registers.Enter(new(0, 0, default, 0));
        Assert.Equal((0ul, 0x135ul), (registers.Words[Hcr], registers.Words[Scr]));
    }

    [Fact]
    public void EL2_is_the_monitor_s_below_it_and_as_out_of_reset_above()
    {
        var registers = Used(new());
        registers.Enter(new(0, 0, default, 0));
        Assert.Equal((Junk, Junk, Junk), (registers.Words[VbarEl2], registers.Words[Hcr], registers.Words[Scr]));

        registers = Used(new(ClientEl: 2));
        registers.Words[Scr] = 0x535;
        registers.Enter(new(0, 0, default, 0));
        Assert.Equal((0ul, 1ul << 31, 1ul << 59 | 1ul << 27 | 0x535), (registers.Words[VbarEl2], registers.Words[Hcr], registers.Words[Scr]));
        Assert.Equal(0x30d0_0800ul, registers.Words[MailboxLayout.FrameSctlrEl1 / 8]);
    }

    [Fact]
    public void The_caller_s_endianness_is_that_of_its_level_and_of_its_accesses()
    {
        var registers = new GuestRegisters(new()) { Sctlr = 1 << 25, Pstate = 0x3c5 };
        Assert.Equal(new Endianness(Exceptions: true, Data: false), registers.Endianness);
        registers = new(new()) { Pstate = 0x3c5 | 1 << 9 }; // D, no E
        Assert.Equal(default, registers.Endianness);
        registers = new(new(IsAArch32: true)) { Pstate = 0x3d3 };
        Assert.Equal(new Endianness(Exceptions: false, Data: true), registers.Endianness);
        // What an inner guest calls from does not matter: the core starts at EL2.
        registers = new(new(ClientEl: 2)) { Pstate = 0x3d3 };
        registers.Words[MailboxLayout.FrameSctlrEl1 / 8] = 1 << 25;
        Assert.Equal(default, registers.Endianness);
    }

    [Theory]
    //          AArch32 PSTATE  registers that are 32 bits wide
    [InlineData(false, 0x3c5, 0)]
    [InlineData(false, 0x010, 15)] // a 32-bit process: the kernel's own registers stay whole
    [InlineData(true, 0x1d3, 31)]
    [InlineData(true, 0x010, 31)]
    public void AArch32_has_no_upper_halves(bool aarch32, ulong pstate, int narrow)
    {
        var registers = Used(new(IsAArch32: aarch32));
        registers.Pstate = pstate;
        registers.Narrow();
        Assert.Equal(
            [.. Enumerable.Repeat(NarrowJunk, narrow), .. Enumerable.Repeat(Junk, 31 - narrow), narrow == 0 ? Junk : NarrowJunk],
            [.. registers.General, registers.Pc]);
    }

    [Fact]
    public void The_wire_has_the_registers_of_the_guest_s_own_level()
    {
        var registers = new GuestRegisters(new(ClientEl: 2));
        for (var n = 0; n < registers.Words.Length; n++)
        {
            registers.Words[n] = (ulong)n * 8;
        }
        var wire = registers.ToWire();
        Assert.Equal((0x138ul, 0x140ul, 0x148ul, 0x150ul), (wire.ElrElc, wire.SpsrElc, wire.VbarElc, wire.SctlrElc));
        Assert.Equal((0xf8ul, 0x100ul, 0x108ul, 0x110ul), (wire.Pc, wire.Pstate, wire.SpEl0, wire.SpEl1));

        var below = new GuestRegisters(new());
        registers.Words.CopyTo(below.Words);
        wire = below.ToWire();
        Assert.Equal((0x118ul, 0x120ul, 0x128ul, 0x130ul), (wire.ElrElc, wire.SpsrElc, wire.VbarElc, wire.SctlrElc));
    }

    private static GuestRegisters Used(GuestKind kind)
    {
        var registers = new GuestRegisters(kind);
        registers.Words.Fill(Junk);
        return registers;
    }
}

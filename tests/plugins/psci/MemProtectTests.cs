using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

public sealed class MemProtectTests
{
    private static readonly MemoryRange[] s_ram = [new(0x4000_0000, 0x1000), new(0x4000_1000, 0x1000), new(0x8000_0000, 0x1000), new(0xFFFF_FFFF_FFFF_F000, 0x1000)];

    private readonly TestMachine _machine = new(2, new PsciService(new() { VendorResets = [new() { Type = 0x8000_0000 }] }));

    [Fact]
    public void Returns_the_previous_state()
    {
        Assert.Equal(Answer.Value(0), _machine.Call(Ids.MemProtect, 1)); // off at boot
        Assert.Equal(Answer.Value(1), _machine.Call(Ids.MemProtect, 0x8000_0000)); // any value but 0 enables
        Assert.Equal(Answer.Value(1), _machine.Call(Ids.MemProtect, 0xFFFF_FFFF_0000_0000)); // of 32 bits
        Assert.Equal(Answer.Value(0), _machine.Call(Ids.MemProtect, 0));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          id                type           protected and not
    [InlineData(Ids.SystemOff,    0u,            false, false)] // the host gives its memory back
    [InlineData(Ids.SystemOff2,   1u,            false, false)]
    [InlineData(Ids.SystemReset,  0u,            true,  false)]
    [InlineData(Ids.SystemReset2, 0u,            false, false)] // SYSTEM_WARM_RESET keeps memory
    [InlineData(Ids.SystemReset2, 0x8000_0000u,  true,  false)]
#pragma warning restore format
    public void Has_memory_overwritten_before_the_next_boot(uint id, uint type, bool isProtected, bool isNot)
    {
        Assert.Equal(isNot, Assert.IsType<Effect.SystemEvent>(_machine.Call(id, type).Then).ClearMemory);
        _machine.Call(Ids.MemProtect, 1);
        Assert.Equal(isProtected, Assert.IsType<Effect.SystemEvent>(_machine.Call(id, type).Then).ClearMemory);
    }

    [Theory]
    [InlineData(ResetKind.Warm, 1ul)]
    [InlineData(ResetKind.Cold, 0ul)]
    public void Outlives_a_warm_reset_alone(ResetKind kind, ulong state)
    {
        _machine.Call(Ids.MemProtect, 1);
        _machine.Reset(kind);
        Assert.Equal(Answer.Value(state), _machine.Call(Ids.MemProtect, 0));
    }

    [Fact]
    public void Outlives_attaching_again()
    {
        _machine.Call(Ids.MemProtect, 1);
        _machine.Attach(TestMachine.Describe(3));
        Assert.Equal(Answer.Value(1), _machine.Call(Ids.MemProtect, 1));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          base                      length              status
    [InlineData(0x4000_0000ul,            0x1000ul,           0)]
    [InlineData(0x4000_0000ul,            0x1ul,              0)]
    [InlineData(0x4000_0FFFul,            0x1ul,              0)]
    [InlineData(0x4000_0000ul,            0x2000ul,           0)]  // two ranges that touch
    [InlineData(0x4000_0FFFul,            0x2ul,              0)]
    [InlineData(0x4000_0000ul,            0x2001ul,           -3)] // DENIED: beyond RAM
    [InlineData(0x3FFF_FFFFul,            0x2ul,              -3)] // before it
    [InlineData(0x3FFF_FFFFul,            0x1ul,              -3)]
    [InlineData(0x4000_0000ul,            0x4000_1000ul,      -3)] // a hole
    [InlineData(0x4000_0000ul,            0x0ul,              -3)] // empty
    [InlineData(0x0ul,                    0x0ul,              -3)]
    [InlineData(0xFFFF_FFFF_FFFF_F000ul,  0x1000ul,           0)]  // to the last byte
    [InlineData(0xFFFF_FFFF_FFFF_FFFFul,  0x1ul,              0)]
    [InlineData(0xFFFF_FFFF_FFFF_F000ul,  0x1001ul,           -3)] // wraps
    [InlineData(0xFFFF_FFFF_FFFF_FFFFul,  0xFFFF_FFFF_FFFF_FFFFul, -3)]
    [InlineData(0x4000_0000ul,            0xFFFF_FFFF_FFFF_FFFFul, -3)]
#pragma warning restore format
    public void CHECK_RANGE(ulong first, ulong length, int status)
    {
        var machine = new TestMachine(TestMachine.Describe(1) with { Ram = [.. s_ram] }, new PsciService());
        for (var enabled = 0ul; enabled < 2; enabled++)
        {
            machine.Call(Ids.MemProtect, enabled); // what counts is what could be protected
            Refuses(machine, status, machine.Core(0), Ids.MemProtectCheckRange | Ids.Smc64, first, length);
        }
    }

    [Fact]
    public void CHECK_RANGE_takes_32_bits_of_SMC32_arguments()
    {
        Assert.Equal(Answer.Success, _machine.Call(Ids.MemProtectCheckRange, 0xDEAD_BEEF_4000_0000, 0xDEAD_BEEF_0000_1000));
        Assert.Equal(Answer.Status(-3), _machine.Call(Ids.MemProtectCheckRange | Ids.Smc64, 0xDEAD_BEEF_4000_0000, 0x1000));
    }
}

using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>CPU_SUSPEND and CPU_DEFAULT_SUSPEND in the platform-coordinated mode.</summary>
public sealed class CpuSuspendTests
{
    private const ulong High = 0xFFFF_FFFF_0000_0000;

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          original       extended       standby
    [InlineData(0x0000_0001ul, 0x0000_0001ul, true)]  // cpu-standby
    [InlineData(0x0000_0002ul, 0x0000_0002ul, true)]  // cpu-retention
    [InlineData(0x0001_0003ul, 0x4000_0003ul, false)] // cpu-sleep: StateType 16 or 30
    [InlineData(0x0101_0023ul, 0x4000_0023ul, false)] // cluster-retention: PowerLevel 25:24
    [InlineData(0x0101_0033ul, 0x4000_0033ul, false)] // cluster-sleep
    [InlineData(0x0201_0333ul, 0x4000_0333ul, false)] // system-sleep
#pragma warning restore format
    public void Suspends(ulong original, ulong extended, bool isStandby)
    {
        foreach (var (format, powerState) in new[] { (StateIdFormat.Original, original), (StateIdFormat.Extended, extended) })
        {
            foreach (var id in new[] { Ids.CpuSuspend, Ids.CpuSuspend | Ids.Smc64 })
            {
                var machine = TwoClusters(Composite with { StateIdFormat = format });
                Effect effect = isStandby ? new Effect.Standby() : new Effect.PowerDown(Entry, 7);
                Assert.Equal(Answer.Success with { Then = effect }, machine.Call(id, High | powerState, Entry, 7)); // power_state has 32 bits in either form
                Assert.Equal(PowerState.Suspended, machine.StateOf<PsciState>().Cores[0].Power);

                machine.Core(0).Woke();
                Assert.Equal(new CoreState(Core(0), PowerState.On), machine.StateOf<PsciState>().Cores[0]);
            }
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          format                  power_state
    [InlineData(StateIdFormat.Original, 0x0000_0000u)] // no such StateID
    [InlineData(StateIdFormat.Original, 0x0000_0003u)] // a powerdown state's StateID without StateType
    [InlineData(StateIdFormat.Original, 0x0001_0001u)] // a standby state's with it
    [InlineData(StateIdFormat.Original, 0x0100_0001u)] // at another level
    [InlineData(StateIdFormat.Original, 0x0001_0033u)]
    [InlineData(StateIdFormat.Original, 0x0301_0333u)]
    [InlineData(StateIdFormat.Original, 0x4000_0003u)] // the other format
    [InlineData(StateIdFormat.Original, 0xFFFF_FFFFu)]
    [InlineData(StateIdFormat.Extended, 0x0000_0000u)]
    [InlineData(StateIdFormat.Extended, 0x0000_0003u)]
    [InlineData(StateIdFormat.Extended, 0x4000_0001u)]
    [InlineData(StateIdFormat.Extended, 0x0001_0003u)] // the other format
    [InlineData(StateIdFormat.Extended, 0x4101_0033u)]
    [InlineData(StateIdFormat.Extended, 0xFFFF_FFFFu)]
#pragma warning restore format
    public void Refuses_a_state_that_the_platform_has_not(StateIdFormat format, uint powerState)
    {
        var machine = TwoClusters(Composite with { StateIdFormat = format });
        Refuses(machine, -2, machine.Core(0), Ids.CpuSuspend, powerState, Entry, 7);
        Refuses(machine, -2, machine.Core(0), Ids.CpuSuspend, powerState, 0, 7); // the state before the entry point
    }

    [Theory]
    [InlineData(StateIdFormat.Original, 0x0001_0003u, 0xFCFE_0000u)] // 31:26, 23:17
    [InlineData(StateIdFormat.Original, 0x0000_0001u, 0xFCFE_0000u)]
    [InlineData(StateIdFormat.Extended, 0x4000_0003u, 0xB000_0000u)] // 31, 29:28
    [InlineData(StateIdFormat.Extended, 0x0000_0001u, 0xB000_0000u)]
    public void Refuses_each_bit_that_must_be_zero(StateIdFormat format, uint powerState, uint mustBeZero)
    {
        var machine = TwoClusters(Composite with { StateIdFormat = format });
        for (var bit = 1u; bit != 0; bit <<= 1)
        {
            if ((mustBeZero & bit) != 0)
            {
                Refuses(machine, -2, machine.Core(0), Ids.CpuSuspend, powerState | bit, Entry, 7);
            }
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          caller     entry            1.3  0.2
    [InlineData("AArch64", 0x3FFF_FFFCul,   -9,  -2)] // INVALID_ADDRESS; INVALID_PARAMETERS before 1.0
    [InlineData("AArch64", 0x8000_0000ul,   -9,  -2)]
    [InlineData("AArch64", Entry + 1,       -9,  -2)]
    [InlineData("AArch64", Entry + 2,       -9,  -2)]
    [InlineData("AArch64", Entry + 4,       0,   0)]
    [InlineData("AArch32", Entry + 1,       0,   0)]  // T32
    [InlineData("AArch32", Entry + 2,       -9,  -2)]
    [InlineData("AArch32", Entry + 3,       0,   0)]
#pragma warning restore format
    public void Looks_at_the_entry_point_where_context_is_lost(string state, ulong entry, int in13, int in02)
    {
        foreach (var (version, status) in new[] { ("1.3", in13), ("0.2", in02) })
        {
            var machine = TwoClusters(Composite with { Version = Version.Parse(version) });
            var caller = state == "AArch32" ? machine.Core(0).AArch32 : machine.Core(0);
            if (status < 0)
            {
                Refuses(machine, status, caller, Ids.CpuSuspend, Sleep0, entry, 7);
            }
            else
            {
                Assert.Equal(Answer.Success with { Then = new Effect.PowerDown(entry, 7) }, caller.Call(Ids.CpuSuspend, Sleep0, entry, 7));
            }

            caller.Woke();
            Assert.Equal(Answer.Success with { Then = new Effect.Standby() }, caller.Call(Ids.CpuSuspend, Standby0, entry, 7)); // where it is kept, not
        }
    }

    [Fact]
    public void Takes_32_bits_of_each_SMC32_argument_and_64_of_each_SMC64_one()
    {
        var machine = TwoClusters(Composite);
        Assert.Equal(Answer.Success with { Then = new Effect.PowerDown(Entry, 7) }, machine.Call(Ids.CpuSuspend, Sleep0, High | Entry, High | 7));
        machine.Core(0).Woke();
        Refuses(machine, -9, machine.Core(0), Ids.CpuSuspend | Ids.Smc64, Sleep0, High | Entry, 7);
        Assert.Equal(Answer.Success with { Then = new Effect.PowerDown(Entry, High | 7) }, machine.Call(Ids.CpuSuspend | Ids.Smc64, Sleep0, Entry, High | 7));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          caller     entry          status
    [InlineData("AArch64", Entry,         0)]
    [InlineData("AArch64", Entry + 2,     -9)]
    [InlineData("AArch64", 0x8000_0000ul, -9)]
    [InlineData("AArch32", Entry + 1,     0)]
    [InlineData("AArch32", Entry + 2,     -9)]
#pragma warning restore format
    public void CPU_DEFAULT_SUSPEND(string state, ulong entry, int status)
    {
        var machine = TwoClusters(Composite);
        var caller = state == "AArch32" ? machine.Core(0).AArch32 : machine.Core(0);
        if (status < 0)
        {
            Refuses(machine, status, caller, Ids.CpuDefaultSuspend, entry, 7);
            return;
        }

        Assert.Equal(Answer.Success with { Then = new Effect.PowerDown(entry, 7) }, caller.Call(Ids.CpuDefaultSuspend, entry, 7));
        machine.Core(1).Started();
        Assert.Equal(Answer.Value(1), machine.Core(1).Call(Ids.NodeHwState, 0, 0)); // the core is HW_OFF,
        machine.Core(1).Call(Ids.CpuSuspend, Sleep1, Entry);
        Assert.Equal(Answer.Value(0), machine.Core(2).Call(Ids.NodeHwState, 0, 1)); // but keeps its cluster HW_ON
    }

    [Fact]
    public void The_two_states_that_every_machine_has()
    {
        var machine = new TestMachine(2, new PsciService());
        Assert.Equal(Answer.Success with { Then = new Effect.Standby() }, machine.Call(Ids.CpuSuspend, 0x0000_0000));
        machine.Core(0).Woke();
        Assert.Equal(Answer.Success with { Then = new Effect.PowerDown(Entry, 7) }, machine.Call(Ids.CpuSuspend, 0x0001_0000, Entry, 7));
    }

    [Fact]
    public void A_suspended_core_is_ON_until_it_wakes_and_makes_its_next_call()
    {
        var machine = TwoClusters(Composite);
        machine.Core(1).Started();
        machine.Core(1).Call(Ids.CpuSuspend, Sleep1, Entry);
        Assert.Equal(Answer.Value(0), machine.Call(Ids.AffinityInfo, 1));
        Refuses(machine, -4, machine.Core(0), Ids.CpuOn, 1, Entry);
        Refuses(machine, -3, machine.Core(0), Ids.SystemSuspend, Entry);

        machine.Core(1).Call(Ids.PsciVersion);
        Assert.Equal(new CoreState(Core(1), PowerState.On), machine.StateOf<PsciState>().Cores[1]);
    }
}

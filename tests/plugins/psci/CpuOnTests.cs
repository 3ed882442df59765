using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

public sealed class CpuOnTests
{
    private readonly TestMachine _machine = new(cores: 4, new PsciService());

    [Theory]
    [InlineData(Ids.CpuOn)]
    [InlineData(Ids.CpuOn | Ids.Smc64)]
    public void Starts_a_core_that_is_off(uint id)
    {
        Assert.Equal(Answer.Success with { Then = new Effect.PowerOn(Core(1), Entry, 7, IfRefused: -6) }, _machine.Core(0).Smc.Call(id, 1, Entry, 7));
        Assert.Equal<CoreState>(
            [new(Core(0), PowerState.On), new(Core(1), PowerState.OnPending, StartedBy: Core(0)), new(Core(2), PowerState.Off), new(Core(3), PowerState.Off)],
            _machine.StateOf<PsciState>().Cores);
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          target 0.2 1.0 1.1 1.2 1.3
    [InlineData(0,     -4, -4, -4, -4, -4)] // ALREADY_ON: the caller itself
    [InlineData(1,      0,  0,  0,  0,  0)] // OFF
    [InlineData(2,     -5, -5, -5, -5, -5)] // ON_PENDING
    [InlineData(3,     -4, -4, -4, -4, -4)] // a suspended core counts as ON
    [InlineData(4,     -4, -4, -4, -4, -4)] // CPU_FREEZE is not processed yet
    [InlineData(5,      0,  0,  0,  0,  0)] // frozen; without CPU_FREEZE off
    [InlineData(6,     -6, -6, -6, -3, -3)] // its host cannot start it; DENIED is of 1.2
    [InlineData(7,     -6, -6, -6, -3, -3)] // denied by policy
    [InlineData(8,     -2, -2, -2, -2, -2)] // no such core
#pragma warning restore format
    public void By_the_target_and_the_version(ulong target, int in02, int in10, int in11, int in12, int in13)
    {
        foreach (var (version, status) in new[] { ("0.2", in02), ("1.0", in10), ("1.1", in11), ("1.2", in12), ("1.3", in13) })
        {
            foreach (var id in new[] { Ids.CpuOn, Ids.CpuOn | Ids.Smc64 })
            {
                var machine = InEveryState(version);
                if (status < 0)
                {
                    Refuses(machine, status, machine.Core(0), id, target, Entry, 7);
                    continue;
                }

                Assert.Equal(Answer.Success with { Then = new Effect.PowerOn(Core(target), Entry, 7, -6) }, machine.Call(id, target, Entry, 7));
                Refuses(machine, -5, machine.Core(0), id, target, Entry, 7);
            }
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          target               status
    [InlineData(0x9ul,               -2)] // INVALID_PARAMETERS: no such core
    [InlineData(0x100ul,             -2)]
    [InlineData(0x1_0001ul,          -2)]
    [InlineData(0x1_0000_0001ul,     -2)] // Aff3
    [InlineData(0x0100_0001ul,       -2)] // bit 24, MT: not to be given
    [InlineData(0x4000_0001ul,       -2)] // bit 30, U
    [InlineData(0x8000_0001ul,       -2)] // bit 31 of MPIDR_EL1
    [InlineData(0xFFFF_FFFFul,       -2)]
    [InlineData(0x100_0000_0001ul,   -2)] // bit 40
    [InlineData(0x8000_0000_0000_0001ul, -2)]
#pragma warning restore format
    public void Refuses_a_target_that_is_none(ulong target, int status) =>
        Refuses(_machine, status, _machine.Core(0), Ids.CpuOn | Ids.Smc64, target, Entry, 7);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          caller     entry                      1.3  0.2
    [InlineData("AArch64", 0x4000_0000ul,             0,   0)]
    [InlineData("AArch64", 0x7FFF_FFFCul,             0,   0)]
    [InlineData("AArch64", 0x3FFF_FFFCul,             -9, -2)] // INVALID_ADDRESS: below RAM; INVALID_PARAMETERS before 1.0
    [InlineData("AArch64", 0x8000_0000ul,             -9, -2)] // above RAM
    [InlineData("AArch64", 0x0ul,                     -9, -2)]
    [InlineData("AArch64", 0xFFFF_FFFF_4008_0000ul,   -9, -2)]
    [InlineData("AArch64", 0xFFFF_FFFF_FFFF_FFFCul,   -9, -2)]
    [InlineData("AArch64", Entry + 1,                 -9, -2)] // no multiple of 4
    [InlineData("AArch64", Entry + 2,                 -9, -2)]
    [InlineData("AArch32", Entry,                     0,   0)] // A32
    [InlineData("AArch32", Entry + 1,                 0,   0)] // T32
    [InlineData("AArch32", Entry + 2,                 -9, -2)] // A32 is aligned to 4
    [InlineData("AArch32", Entry + 3,                 0,   0)] // T32 at a half word
    [InlineData("AArch32", 0x8000_0001ul,             -9, -2)]
    [InlineData("AArch32", 0x3FFF_FFFFul,             -9, -2)]
#pragma warning restore format
    public void Looks_at_the_entry_point(string state, ulong entry, int in13, int in02)
    {
        foreach (var (version, status) in new[] { ("1.3", in13), ("0.2", in02) })
        {
            var machine = new TestMachine(2, new PsciService(new() { Version = Version.Parse(version) }));
            var caller = state == "AArch32" ? machine.Core(0).AArch32 : machine.Core(0);
            var id = state == "AArch32" ? Ids.CpuOn : Ids.CpuOn | Ids.Smc64;
            if (status < 0)
            {
                Refuses(machine, status, caller, id, 1, entry, 7);
            }
            else
            {
                Assert.Equal(Answer.Success with { Then = new Effect.PowerOn(Core(1), entry, 7, -6) }, caller.Call(id, 1, entry, 7));
            }
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          target entry        status
    [InlineData(9ul,   Entry + 2,   -2)] // the target before the entry point
    [InlineData(7ul,   Entry + 2,   -9)] // the entry point before the policy
    [InlineData(0ul,   Entry + 2,   -9)] // and before the state
    [InlineData(2ul,   Entry + 2,   -9)]
#pragma warning restore format
    public void Checks_in_order(ulong target, ulong entry, int status)
    {
        var machine = InEveryState("1.3");
        Refuses(machine, status, machine.Core(0), Ids.CpuOn, target, entry, 7);
    }

    [Fact]
    public void Looks_at_the_policy_before_the_state()
    {
        var machine = new TestMachine(2, new PsciService(new() { DeniedCores = [Core(0)] }));
        Refuses(machine, -3, machine.Core(0), Ids.CpuOn, 0, Entry, 7);
    }

    [Fact]
    public void Takes_32_bits_of_each_SMC32_argument_and_64_of_each_SMC64_one()
    {
        const ulong High = 0xDEAD_BEEF_0000_0000;
        Assert.Equal(Answer.Success with { Then = new Effect.PowerOn(Core(1), Entry, 7, -6) }, _machine.Call(Ids.CpuOn, High | 1, High | Entry, High | 7));
        Refuses(_machine, -2, _machine.Core(0), Ids.CpuOn | Ids.Smc64, High | 2, Entry, 7);
        Refuses(_machine, -9, _machine.Core(0), Ids.CpuOn | Ids.Smc64, 2, High | Entry, 7);
        Assert.Equal(
            Answer.Success with { Then = new Effect.PowerOn(Core(2), Entry, High | 7, -6) },
            _machine.Call(Ids.CpuOn | Ids.Smc64, 2, Entry, High | 7));
    }

    [Fact]
    public void Knows_no_bad_address_where_the_host_lists_no_RAM() => Assert.Equal(
        Answer.Success with { Then = new Effect.PowerOn(Core(1), 0, 7, -6) },
        new TestMachine(TestMachine.Describe(2) with { Ram = [] }, new PsciService()).Call(Ids.CpuOn, 1, 0, 7));

    [Fact]
    public void Finds_cores_in_all_affinity_fields()
    {
        var far = Core(0x12_0003_0201);
        var machine = new TestMachine(TestMachine.Describe(1) with { Cores = [new(Core(0), CorePower.On), new(far, CorePower.Off)] }, new PsciService());

        Refuses(machine, -2, machine.Core(0), Ids.CpuOn, 0x12_0003_0201, Entry, 7); // SMC32 has no Aff3
        Assert.Equal(Answer.Success with { Then = new Effect.PowerOn(far, Entry, 7, -6) }, machine.Call(Ids.CpuOn | Ids.Smc64, 0x12_0003_0201, Entry, 7));
    }

    [Fact]
    public void Makes_a_core_ON_when_it_runs_and_OFF_again_when_it_cannot()
    {
        _machine.Call(Ids.CpuOn, 1, Entry);
        _machine.Call(Ids.CpuOn, 2, Entry);
        _machine.Call(Ids.CpuOn, 3, Entry);
        _machine.Core(1).Started();
        _machine.Core(2).Refused();
        _machine.Core(3).Call(Ids.PsciVersion); // a call is itself the news that its core runs

        Assert.Equal<CoreState>(
            [new(Core(0), PowerState.On), new(Core(1), PowerState.On), new(Core(2), PowerState.Off), new(Core(3), PowerState.On)],
            _machine.StateOf<PsciState>().Cores);
    }
}

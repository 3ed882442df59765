using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>PSCI_STAT_RESIDENCY and PSCI_STAT_COUNT: completed stays since cold boot, in microseconds.</summary>
public sealed class StatisticsTests
{
    private readonly TestMachine _machine = TwoClusters(Composite);

    [Fact]
    public void Count_completed_stays_and_their_microseconds()
    {
        Assert.Equal((0ul, 0ul), Stays(Standby0));
        _machine.Call(Ids.CpuSuspend, Standby0);
        Pass(microseconds: 1500);
        Assert.Equal((0ul, 0ul), Stays(Standby0, observer: 1)); // not completed yet

        _machine.Core(0).Woke();
        Assert.Equal((1ul, 1500ul), Stays(Standby0));
        _machine.Call(Ids.CpuSuspend, Standby0);
        Pass(microseconds: 500);
        _machine.Core(0).Woke();
        Pass(microseconds: 9_999_999);
        Assert.Equal((2ul, 2000ul), Stays(Standby0));
        Assert.Equal((0ul, 0ul), Stays(Retention0));
        Assert.Equal((0ul, 0ul), Stays(Standby0, target: 1));
    }

    [Fact]
    public void A_residency_is_64_bits_wide_and_wraps_in_SMC32()
    {
        _machine.Call(Ids.CpuSuspend, Standby0);
        Pass(microseconds: 0x1_0000_0007);
        _machine.Core(0).Woke();
        Assert.Equal(Answer.Value(0x1_0000_0007), _machine.Call(Ids.StatResidency | Ids.Smc64, 0, Standby0));
        Assert.Equal(Answer.Value(7), _machine.Call(Ids.StatResidency, 0, Standby0));
    }

    [Fact]
    public void A_residency_with_bit_31_set_is_data_and_no_error()
    {
        _machine.Call(Ids.CpuSuspend, Standby0);
        Pass(microseconds: 0xFFFF_FFFE);
        _machine.Core(0).Woke();
        Assert.Equal(Answer.Value(0xFFFF_FFFE), _machine.Call(Ids.StatResidency, 0, Standby0));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          target               power_state
    [InlineData(0x0ul,               0x0000_0000ul)] // no such state
    [InlineData(0x0ul,               0x8000_0001ul)] // must be zero
    [InlineData(0x0ul,               0xFFFF_FFFFul)]
    [InlineData(0x2ul,               0x0000_0001ul)] // no such core
    [InlineData(0x8000_0000ul,       0x0000_0001ul)]
    [InlineData(0x1_0000_0000ul,     0x0000_0001ul)]
#pragma warning restore format
    public void Are_0_for_what_does_not_exist(ulong target, ulong powerState)
    {
        _machine.Call(Ids.CpuSuspend, Standby0);
        Pass(microseconds: 10);
        foreach (var id in new[] { Ids.StatResidency, Ids.StatCount })
        {
            Assert.Equal(Answer.Value(0), _machine.Call(id | Ids.Smc64, target, powerState));
        }
    }

    [Fact]
    public void Take_32_bits_of_the_state()
    {
        _machine.Call(Ids.CpuSuspend, Standby0);
        Pass(microseconds: 10);
        Assert.Equal(Answer.Value(1), _machine.Call(Ids.StatCount | Ids.Smc64, 0, 0xFFFF_FFFF_0000_0000 | Standby0));
    }

    [Fact]
    public void A_composite_state_is_counted_by_its_highest_node()
    {
        // Both sleep with their cluster, one longer than the other: the cluster sleeps while both do.
        _machine.Core(1).Started();
        _machine.Call(Ids.CpuSuspend, Sleep1, Entry);
        Pass(microseconds: 100);
        _machine.Core(1).Call(Ids.CpuSuspend, Sleep1, Entry);
        Pass(microseconds: 10);
        _machine.Core(0).Woke();
        Pass(microseconds: 1);
        _machine.Core(1).Woke();

        Assert.Equal((1ul, 110ul), Stays(Sleep0));
        Assert.Equal((1ul, 11ul), Stays(Sleep0, target: 1));
        Assert.Equal((1ul, 10ul), Stays(Sleep1));
        Assert.Equal((1ul, 10ul), Stays(Sleep1, target: 1));
        Assert.Equal((0ul, 0ul), Stays(Sleep1, target: 0x100));
        Assert.Equal((0ul, 0ul), Stays(SleepRetention1));
        Assert.Equal((0ul, 0ul), Stays(Sleep2));
    }

    [Fact]
    public void Where_the_platform_coordinates_a_node_stays_in_the_state_that_it_got()
    {
        _machine.Core(1).Started();
        _machine.Core(1).Call(Ids.CpuSuspend, SleepRetention1, Entry);
        _machine.Call(Ids.CpuSuspend, Sleep1, Entry);
        Pass(microseconds: 10);
        _machine.Core(0).Woke();
        Assert.Equal((0ul, 0ul), Stays(Sleep1));
        Assert.Equal((1ul, 10ul), Stays(SleepRetention1));
    }

    [Fact]
    public void OS_initiated_a_node_stays_from_the_last_core_down_to_the_first_one_up()
    {
        _machine.Core(1).Started();
        _machine.Call(Ids.SetSuspendMode, 1);
        _machine.Core(1).Call(Ids.CpuSuspend, Sleep0, Entry);
        Pass(microseconds: 100);
        _machine.Call(Ids.CpuSuspend, Sleep2, Entry);
        Pass(microseconds: 10);
        _machine.Core(1).Woke();
        Pass(microseconds: 1);
        _machine.Core(0).Woke();

        Assert.Equal((1ul, 11ul), Stays(Sleep0));
        Assert.Equal((1ul, 110ul), Stays(Sleep0, target: 1));
        Assert.Equal((1ul, 10ul), Stays(Sleep1));
        Assert.Equal((1ul, 10ul), Stays(Sleep2, target: 0x101)); // the system's, whichever core is named
    }

    [Fact]
    public void The_system_stays_down_while_all_its_clusters_do()
    {
        _machine.Core(2).Started();
        _machine.Call(Ids.CpuSuspend, Sleep2, Entry);
        Pass(microseconds: 100);
        _machine.Core(2).Call(Ids.CpuSuspend, Sleep2, Entry);
        Pass(microseconds: 10);
        _machine.Core(2).Woke();
        Assert.Equal((1ul, 10ul), Stays(Sleep2, observer: 2));
        Assert.Equal((1ul, 10ul), Stays(Sleep1, target: 0x100, observer: 2));
        Assert.Equal((0ul, 0ul), Stays(Sleep1, observer: 2)); // its own cluster still sleeps
    }

    [Theory]
    [InlineData(Ids.CpuOff)]
    [InlineData(Ids.CpuFreeze)]
    public void Being_off_is_no_stay(uint id)
    {
        _machine.Core(1).Call(id);
        _machine.Core(1).Stopped();
        Pass(microseconds: 100);
        _machine.Call(Ids.CpuOn, 1, Entry);
        Assert.Equal((0ul, 0ul), Stays(Sleep0, target: 1));
    }

    [Fact]
    public void A_stay_whose_answer_never_arrived_counts_not()
    {
        _machine.Call(Ids.CpuSuspend, Sleep1, Entry);
        Pass(microseconds: 100);
        _machine.Core(0).FellBack();
        Assert.Equal((0ul, 0ul), Stays(Sleep0));
        Assert.Equal((0ul, 0ul), Stays(Sleep1));
    }

    [Theory]
    [InlineData(ResetKind.Warm, 1ul, 100ul)]
    [InlineData(ResetKind.Cold, 0ul, 0ul)]
    public void Begin_with_a_cold_boot(ResetKind kind, ulong count, ulong microseconds)
    {
        _machine.Call(Ids.CpuSuspend, Sleep1, Entry);
        Pass(microseconds: 100);
        _machine.Core(0).Woke();
        _machine.Call(Ids.CpuSuspend, Sleep1, Entry);
        Pass(microseconds: 1000);
        _machine.Reset(kind); // this stay is never completed
        Assert.Equal((count, microseconds), Stays(Sleep0));
        Assert.Equal((count, microseconds), Stays(Sleep1));
    }

    [Fact]
    public void Outlive_attaching_again()
    {
        _machine.Call(Ids.CpuSuspend, Sleep1, Entry);
        Pass(microseconds: 100);
        _machine.Attach(_machine.Description with
        {
            Cores = [new(Core(0x101), CorePower.Off), new(Core(0x0), CorePower.Suspended), new(Core(0x1), CorePower.Off), new(Core(0x100), CorePower.On)],
        });
        Pass(microseconds: 10);
        _machine.Core(1).Woke();
        Assert.Equal((1ul, 110ul), Stays(Sleep0));
        Assert.Equal((1ul, 110ul), Stays(Sleep1));
    }

    [Fact]
    public void Stand_still_where_the_clock_goes_back()
    {
        _machine.Call(Ids.CpuSuspend, Standby0);
        _machine.Now = _machine.Now.AddSeconds(-1);
        _machine.Core(0).Woke();
        Assert.Equal((1ul, 0ul), Stays(Standby0));
    }

    private void Pass(long microseconds) => _machine.Now = _machine.Now.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);

    private (ulong Count, ulong Microseconds) Stays(uint powerState, ulong target = 0, int observer = 0)
    {
        var core = _machine.Core(observer);
        return (core.Call(Ids.StatCount | Ids.Smc64, target, powerState).X0, core.Call(Ids.StatResidency | Ids.Smc64, target, powerState).X0);
    }
}

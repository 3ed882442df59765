using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Psci;

public sealed class PsciServiceTests
{
    private const uint CpuSuspend = 0x8400_0001;
    private const uint CpuOff = 0x8400_0002;
    private const uint CpuOn = 0x8400_0003;
    private const uint AffinityInfo = 0x8400_0004;
    private const uint PsciFeatures = 0x8400_000A;
    private const uint Smc64 = 0x4000_0000;
    private const ulong Entry = 0x4008_0000;

    private readonly TestMachine _machine = new(cores: 4, new PsciService(), new SmcccService());

    [Theory]
    [InlineData(0x8400_0000, 0x1_0003ul)] // PSCI_VERSION: 1.3
    [InlineData(0x8400_0006, 2ul)]        // MIGRATE_INFO_TYPE: none needed
    public void Reports(uint id, ulong value) => Assert.Equal(Answer.Value(value), _machine.Call(id));

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          asked       status
    [InlineData(0x8400_0000, 0)]  // PSCI_VERSION
    [InlineData(0x8400_0001, 1)]  // CPU_SUSPEND: original StateID format, OS-initiated mode supported
    [InlineData(0xC400_0001, 1)]
    [InlineData(0x8400_0002, 0)]  // CPU_OFF
    [InlineData(0xC400_0002, -1)]
    [InlineData(0x8400_0003, 0)]  // CPU_ON
    [InlineData(0xC400_0003, 0)]
    [InlineData(0x8400_0004, 0)]  // AFFINITY_INFO
    [InlineData(0xC400_0004, 0)]
    [InlineData(0x8400_0005, -1)] // MIGRATE
    [InlineData(0x8400_0006, 0)]  // MIGRATE_INFO_TYPE
    [InlineData(0x8400_0007, -1)] // MIGRATE_INFO_UP_CPU
    [InlineData(0x8400_0008, 0)]  // SYSTEM_OFF
    [InlineData(0x8400_0009, 0)]  // SYSTEM_RESET
    [InlineData(0x8400_000A, 0)]  // PSCI_FEATURES
    [InlineData(0x8400_000B, 0)]  // CPU_FREEZE
    [InlineData(0xC400_000C, 0)]  // CPU_DEFAULT_SUSPEND
    [InlineData(0xC400_000D, 0)]  // NODE_HW_STATE
    [InlineData(0xC400_000E, 0)]  // SYSTEM_SUSPEND
    [InlineData(0x8400_000F, 0)]  // PSCI_SET_SUSPEND_MODE
    [InlineData(0xC400_0010, 0)]  // PSCI_STAT_RESIDENCY
    [InlineData(0xC400_0011, 0)]  // PSCI_STAT_COUNT
    [InlineData(0xC400_0012, 0)]  // SYSTEM_RESET2
    [InlineData(0x8400_0013, 0)]  // MEM_PROTECT
    [InlineData(0xC400_0014, 0)]  // MEM_PROTECT_CHECK_RANGE
    [InlineData(0xC400_0015, 1)]  // SYSTEM_OFF2: HIBERNATE_OFF
    [InlineData(0x8000_0000, 0)]  // SMCCC_VERSION
    [InlineData(0x8000_0001, -1)] // another owner's
    [InlineData(0xC400_A011, -1)] // nobody's
    [InlineData(0x95C1_BA60, -1)] // PSCI 0.1
#pragma warning restore format
    public void PSCI_FEATURES(uint asked, int status) => Assert.Equal((ulong)(long)status, _machine.Call(PsciFeatures, asked).X0);

    [Fact]
    public void PSCI_FEATURES_of_SMCCC_VERSION_where_nobody_serves_it() =>
        Assert.Equal(Answer.NotSupported, new TestMachine(new PsciService()).Call(PsciFeatures, 0x8000_0000));

    [Fact]
    public void Functions_without_an_SMC64_form_have_none()
    {
        foreach (var number in new uint[] { 0x00, 0x02, 0x06, 0x08, 0x09, 0x0A })
        {
            Assert.Equal(Answer.NotSupported, _machine.Call(0xC400_0000 + number));
        }
    }

    [Theory]
    [InlineData(CpuOn)]
    [InlineData(CpuOn | Smc64)]
    public void CPU_ON_starts_a_core_that_is_off(uint id)
    {
        var answer = _machine.Call(id, 1, Entry, 7);

        Assert.Equal(Answer.Success with { Then = new Effect.PowerOn(Core(1), Entry, 7, IfRefused: -6) }, answer);
        Assert.Equal([PowerState.On, PowerState.OnPending, PowerState.Off, PowerState.Off], Powers());
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          target                    entry         status
    [InlineData(9ul,                      Entry,        -2)] // INVALID_PARAMETERS: no such core
    [InlineData(0x8000_0001ul,            Entry,        -2)] // bit 31 of MPIDR_EL1 is no affinity
    [InlineData(0x0100_0001ul,            Entry,        -2)]
    [InlineData(0x100_0000_0001ul,        Entry,        -2)] // bit 40
    [InlineData(0x1_0000_0001ul,          Entry,        -2)] // Aff3 = 1: no such core
    [InlineData(0xFFFF_FFFFul,            Entry,        -2)]
    [InlineData(9ul,                      3ul,          -2)] // the core is looked at first
    [InlineData(1ul,                      0x3FFF_FFFCul, -9)] // INVALID_ADDRESS: below RAM
    [InlineData(1ul,                      0x8000_0000ul, -9)] // above RAM
    [InlineData(1ul,                      0xFFFF_FFFF_4008_0000ul, -9)]
    [InlineData(1ul,                      Entry + 1,    -9)] // not a multiple of 4
    [InlineData(1ul,                      Entry + 2,    -9)]
    [InlineData(0ul,                      Entry + 2,    -9)] // the entry is looked at before the state
    [InlineData(0ul,                      Entry,        -4)] // ALREADY_ON: the caller itself
    [InlineData(2ul,                      Entry,        -5)] // ON_PENDING
    [InlineData(3ul,                      Entry,        -3)] // DENIED: unavailable
#pragma warning restore format
    public void CPU_ON_refuses(ulong target, ulong entry, int status)
    {
        var machine = new TestMachine(
            TestMachine.Describe(4) with { Cores = [new(Core(0), CorePower.On), new(Core(1), CorePower.Off), new(Core(2), CorePower.Off), new(Core(3), CorePower.Unavailable)] },
            new PsciService());
        machine.Call(CpuOn, 2, Entry, 0);
        var before = machine.StateOf<PsciState>();

        Assert.Equal(Answer.Status(status), machine.Call(CpuOn | Smc64, target, entry, 7));
        Assert.Same(before, machine.StateOf<PsciState>());
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          entry         status
    [InlineData(Entry,         0)]  // A32
    [InlineData(Entry + 1,     0)]  // T32
    [InlineData(Entry + 2,     -9)] // A32 is aligned to 4
    [InlineData(Entry + 3,     0)]  // T32 at a half word
    [InlineData(0x8000_0001ul, -9)] // above RAM
#pragma warning restore format
    public void CPU_ON_of_an_AArch32_caller_takes_bit_0_for_T32(ulong entry, int status) =>
        Assert.Equal(
            status == 0 ? Answer.Success with { Then = new Effect.PowerOn(Core(1), entry, 7, -6) } : Answer.Status(status),
            _machine.Core(0).AArch32.Call(CpuOn, 1, entry, 7));

    [Fact]
    public void CPU_ON_ignores_the_upper_halves_of_SMC32_arguments() =>
        Assert.Equal(
            Answer.Success with { Then = new Effect.PowerOn(Core(1), Entry, 7, -6) },
            _machine.Call(CpuOn, 0xDEAD_BEEF_0000_0001, 0xDEAD_BEEF_0000_0000 | Entry, 0xDEAD_BEEF_0000_0007));

    [Fact]
    public void CPU_ON_knows_no_bad_address_where_the_host_lists_no_RAM() =>
        Assert.Equal(
            Answer.Success with { Then = new Effect.PowerOn(Core(1), 0, 7, -6) },
            new TestMachine(TestMachine.Describe(2) with { Ram = [] }, new PsciService()).Call(CpuOn, 1, 0, 7));

    [Fact]
    public void CPU_ON_finds_cores_in_all_affinity_fields()
    {
        var far = Mpidr.FromRegister(0x12_0003_0201);
        var machine = new TestMachine(
            TestMachine.Describe(1) with { Cores = [new(Core(0), CorePower.On), new(far, CorePower.Off)] }, new PsciService());

        Assert.Equal(Answer.Status(-2), machine.Call(CpuOn, 0x12_0003_0201, Entry)); // SMC32 has no Aff3
        Assert.Equal(Answer.Success with { Then = new Effect.PowerOn(far, Entry, 0, -6) }, machine.Call(CpuOn | Smc64, 0x12_0003_0201, Entry));
    }

    [Fact]
    public void A_core_that_starts_is_on_and_one_that_cannot_is_off_again()
    {
        _machine.Call(CpuOn, 1, Entry, 0);
        _machine.Call(CpuOn, 2, Entry, 0);
        Assert.Equal([0, 2, 2, 1], Affinities());

        _machine.Core(1).Started();
        _machine.Core(2).Refused();
        Assert.Equal([0, 0, 1, 1], Affinities());
        Assert.Equal(0ul, _machine.Call(CpuOn, 2, Entry, 0).X0);
    }

    [Fact]
    public void The_first_call_of_a_core_says_that_it_has_started()
    {
        _machine.Call(CpuOn, 1, Entry, 0);
        _machine.Core(1).Call(0x8400_0000);
        Assert.Equal([0, 0, 1, 1], Affinities());
    }

    [Fact]
    public void A_core_is_off_only_when_the_host_has_stopped_it()
    {
        _machine.Call(CpuOn, 1, Entry, 0);
        Assert.Equal(Answer.NoResults with { Then = new Effect.PowerOff() }, _machine.Core(1).Call(CpuOff));
        Assert.Equal([0, 0, 1, 1], Affinities());
        Assert.Equal(Answer.Status(-4), _machine.Call(CpuOn, 1, Entry, 0));

        _machine.Core(1).Stopped();
        Assert.Equal([0, 1, 1, 1], Affinities());
        Assert.Equal(0ul, _machine.Call(CpuOn, 1, Entry, 0).X0);
    }

    [Fact]
    public void A_core_whose_CPU_ON_fell_back_is_off()
    {
        _machine.Call(CpuOn, 1, Entry, 0);
        _machine.Core(0).FellBack();
        Assert.Equal([0, 1, 1, 1], Affinities());
    }

    [Fact]
    public void A_fallback_does_not_stop_a_core_that_has_started()
    {
        _machine.Call(CpuOn, 1, Entry, 0);
        _machine.Core(1).Started();
        _machine.Core(0).FellBack();
        Assert.Equal([0, 0, 1, 1], Affinities());
    }

    [Fact]
    public void A_late_fallback_does_not_undo_the_CPU_ON_of_another_core()
    {
        _machine.Core(2).Started();
        _machine.Core(0).Call(CpuOn, 1, Entry, 0);
        _machine.Core(1).Refused();
        _machine.Core(2).Call(CpuOn, 1, Entry, 0);
        _machine.Core(0).FellBack();
        Assert.Equal([0, 2, 0, 1], Affinities());
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          power_state         status
    [InlineData(0x0000_0000ul,      0)]
    [InlineData(0xFFFF_FFFF_0000_0000ul, 0)] // power_state has 32 bits
    [InlineData(0x0000_0001ul,      -2)]     // no such StateID
    [InlineData(0x0100_0000ul,      -2)]     // only the core itself has a standby state
    [InlineData(0x0001_0000ul,      -9)]     // powerdown, whose entry point is bad
    [InlineData(0x8000_0000ul,      -2)]     // must be zero
    [InlineData(0x0002_0000ul,      -2)]
#pragma warning restore format
    public void CPU_SUSPEND(ulong powerState, int status)
    {
        foreach (var id in new[] { CpuSuspend, CpuSuspend | Smc64 })
        {
            Assert.Equal(
                status == 0 ? Answer.Success with { Then = new Effect.Standby() } : Answer.Status(status),
                _machine.Call(id, powerState, 0x3, 0)); // the entry point is not looked at
            Assert.Equal(status == 0 ? PowerState.Suspended : PowerState.On, Powers()[0]);
        }
    }

    [Fact]
    public void A_suspended_core_counts_as_on_until_it_wakes()
    {
        _machine.Core(1).Started();
        _machine.Core(1).Call(CpuSuspend, 0);
        Assert.Equal([0, 0, 1, 1], Affinities());
        Assert.Equal(Answer.Status(-4), _machine.Call(CpuOn, 1, Entry, 0));

        _machine.Core(1).Woke();
        Assert.Equal([PowerState.On, PowerState.On, PowerState.Off, PowerState.Off], Powers());
    }

    [Fact]
    public void A_core_whose_CPU_SUSPEND_fell_back_goes_on()
    {
        _machine.Call(CpuSuspend, 0);
        _machine.Core(0).FellBack();
        Assert.Equal(PowerState.On, Powers()[0]);
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          target          level status
    [InlineData(0x0ul,          0ul,  0)]  // ON
    [InlineData(0x1ul,          0ul,  1)]  // OFF
    [InlineData(0x2ul,          0ul,  -2)] // INVALID_PARAMETERS: no such core
    [InlineData(0x100ul,        0ul,  2)]  // ON_PENDING
    [InlineData(0x1_0000ul,     0ul,  1)]
    [InlineData(0x2_0000ul,     0ul,  -8)] // DISABLED
    [InlineData(0x0ul,          1ul,  0)]  // 0.0.0: one on, one off
    [InlineData(0xFFul,         1ul,  0)]  // Aff0 is ignored
    [InlineData(0x100ul,        1ul,  2)]  // 0.0.1: one pending, one off
    [InlineData(0x200ul,        1ul,  -2)] // no such cluster
    [InlineData(0x1_0000ul,     1ul,  1)]
    [InlineData(0xFFFFul,       2ul,  0)]  // 0.0: on and pending
    [InlineData(0x1_0000ul,     2ul,  1)]  // 0.1: all off
    [InlineData(0x2_0000ul,     2ul,  -8)]
    [InlineData(0x3_0000ul,     2ul,  -2)]
    [InlineData(0xFF_FFFFul,    3ul,  0)]  // the whole machine
    [InlineData(0x1_0000_0000ul, 3ul, -2)] // Aff3 = 1
    [InlineData(0x0ul,          4ul,  -2)] // no such level
    [InlineData(0x0ul,          0xFFFF_FFFFul, -2)]
    [InlineData(0x0ul,          0x1_0000_0000ul, 0)] // the level has 32 bits
    [InlineData(0x8000_0000ul,  0ul,  -2)] // bits outside the affinity fields
    [InlineData(0x8000_0000ul,  3ul,  -2)]
#pragma warning restore format
    public void AFFINITY_INFO(ulong target, ulong level, int status)
    {
        var machine = new TestMachine(
            TestMachine.Describe(1) with
            {
                Cores =
                [
                    new(Core(0x0), CorePower.On), new(Core(0x1), CorePower.Off),
                    new(Core(0x100), CorePower.Off), new(Core(0x101), CorePower.Off),
                    new(Core(0x1_0000), CorePower.Off),
                    new(Core(0x2_0000), CorePower.Unavailable),
                ],
            },
            new PsciService());
        machine.Call(CpuOn, 0x100, Entry, 0);

        Assert.Equal(status < 0 ? Answer.Status(status) : Answer.Value((ulong)status), machine.Call(AffinityInfo | Smc64, target, level));
    }

    [Theory]
    [InlineData(0x8400_0008, SystemEventType.Shutdown)] // SYSTEM_OFF
    [InlineData(0x8400_0009, SystemEventType.Reset)]    // SYSTEM_RESET
    public void Asks_for_a_system_event(uint id, SystemEventType type) =>
        Assert.Equal(Answer.NoResults with { Then = new Effect.SystemEvent(type) }, _machine.Call(id));

    [Fact]
    public void After_a_reset_the_boot_core_is_on_and_the_others_are_off()
    {
        _machine.Core(1).Started();
        _machine.Call(CpuOn, 2, Entry, 0);
        _machine.Reset();
        Assert.Equal([PowerState.On, PowerState.Off, PowerState.Off, PowerState.Off], Powers());
    }

    [Fact]
    public void The_list_of_an_attaching_host_wins_over_the_state()
    {
        _machine.Core(1).Started();
        _machine.Call(CpuOn, 2, Entry, 0);
        _machine.Attach(TestMachine.Describe(1) with
        {
            Cores = [new(Core(5), CorePower.On), new(Core(2), CorePower.Off), new(Core(1), CorePower.Suspended), new(Core(0), CorePower.Unavailable)],
        });

        Assert.Equal<CoreState>(
            [new(Core(5), PowerState.On), new(Core(2), PowerState.Off), new(Core(1), PowerState.Suspended, Requested: [LocalState.Standby]), new(Core(0), PowerState.Unavailable)],
            _machine.StateOf<PsciState>().Cores);
    }

    [Fact]
    public void Reports_of_a_core_that_the_machine_does_not_have_change_nothing()
    {
        var before = _machine.StateOf<PsciState>();
        var stranger = new TestMachine(TestMachine.Describe(32), new PsciService()).Core(31).Mpidr;
        Assert.Same(before, new PsciService().CoreChanged(before, new(stranger, CoreChange.Stopped, default)));
    }

    [Fact]
    public void The_state_reads_as_the_specification_speaks()
    {
        _machine.Call(CpuOn, 1, Entry, 0);
        Assert.Contains("\"Power\": \"OnPending\"", _machine.StateOf("PSCI"), StringComparison.Ordinal);
    }

    [Fact]
    public void No_row_fails_whatever_its_arguments()
    {
        ulong[] oddities = [0, 1, 2, 3, 0xFF, Entry, Entry + 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, ulong.MaxValue];
        foreach (var id in new PsciService().Rows.SelectMany(row => row.Ids))
        {
            foreach (var (first, second) in oddities.SelectMany(first => oddities, (first, second) => (first, second)))
            {
                _machine.Call(id.Value, first, second, first);
                _machine.Core(0).AArch32.Call(id.Value, first, second, first);
            }
        }

        Assert.Empty(_machine.Failures);
    }

    private static Mpidr Core(ulong affinity) => Mpidr.FromRegister(affinity);

    private PowerState[] Powers() => [.. _machine.StateOf<PsciState>().Cores.Select(core => core.Power)];

    private int[] Affinities() => [.. Enumerable.Range(0, 4).Select(core => (int)_machine.Call(AffinityInfo, (ulong)core, 0).X0)];
}

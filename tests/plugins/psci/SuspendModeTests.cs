using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>PSCI_SET_SUSPEND_MODE, and what CPU_SUSPEND refuses in the OS-initiated mode.</summary>
public sealed class SuspendModeTests
{
    private const ulong PlatformCoordinated = 0;
    private const ulong OsInitiated = 1;

    private readonly TestMachine _machine = TwoClusters(Composite);

    [Theory]
    [InlineData(2ul)]
    [InlineData(0x8000_0000ul)]
    [InlineData(0xFFFF_FFFFul)]
    public void Refuses_any_other_mode(ulong mode) => Refuses(_machine, -2, _machine.Core(0), Ids.SetSuspendMode, mode);

    [Fact]
    public void A_machine_boots_platform_coordinated_and_is_switched_and_back()
    {
        Assert.Equal(SuspendMode.PlatformCoordinated, Mode);
        Assert.Equal(Answer.Success, _machine.Call(Ids.SetSuspendMode, 0xDEAD_BEEF_0000_0001)); // 32 bits
        Assert.Equal(SuspendMode.OsInitiated, Mode);
        Assert.Equal(Answer.Success, _machine.Call(Ids.SetSuspendMode, PlatformCoordinated));
        Assert.Equal(SuspendMode.PlatformCoordinated, Mode);
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          core 1              to OS-initiated  back
    [InlineData("off",              0,               0)]
    [InlineData("frozen",           0,               0)]
    [InlineData("running",          0,               -3)] // DENIED: back only when all others are off
    [InlineData("default suspend",  0,               -3)]
    [InlineData("suspended",        -3,              -3)] // CPU_SUSPEND has been used
    [InlineData("has suspended",    -3,              -3)]
    [InlineData("starting",         -3,              -3)] // neither running nor off
    [InlineData("freezing",         -3,              -3)]
#pragma warning restore format
    public void Depends_on_what_the_other_cores_do(string core, int toOsInitiated, int back)
    {
        Bring(_machine, core);
        Check(_machine, toOsInitiated, OsInitiated);

        var other = TwoClusters(Composite);
        other.Call(Ids.SetSuspendMode, OsInitiated);
        Bring(other, core);
        Check(other, back, PlatformCoordinated);
    }

    [Fact]
    public void A_refused_CPU_SUSPEND_was_no_use_of_it()
    {
        Refuses(_machine, -2, _machine.Core(0), Ids.CpuSuspend, 0xFF);
        Refuses(_machine, -9, _machine.Core(0), Ids.CpuSuspend, Sleep0, 1);
        Assert.Equal(Answer.Success, _machine.Call(Ids.SetSuspendMode, OsInitiated));
    }

    [Fact]
    public void CPU_SUSPEND_counts_since_the_last_switch()
    {
        _machine.Call(Ids.SetSuspendMode, OsInitiated);
        _machine.Call(Ids.CpuSuspend, Standby0);
        Assert.Equal(Answer.Success, _machine.Call(Ids.SetSuspendMode, PlatformCoordinated));
        Assert.Equal(Answer.Success, _machine.Call(Ids.SetSuspendMode, OsInitiated));
    }

    [Theory]
    [InlineData(PlatformCoordinated)]
    [InlineData(OsInitiated)]
    public void To_the_mode_that_already_holds_is_SUCCESS(ulong mode)
    {
        _machine.Call(Ids.SetSuspendMode, mode);
        Bring(_machine, "suspended");
        Assert.Equal(Answer.Success, _machine.Call(Ids.SetSuspendMode, mode));
        Assert.Equal((SuspendMode)mode, Mode);
    }

    [Theory]
    [InlineData(ResetKind.Cold)]
    [InlineData(ResetKind.Warm)]
    public void A_reset_returns_to_the_boot_mode(ResetKind kind)
    {
        _machine.Call(Ids.SetSuspendMode, OsInitiated);
        _machine.Call(Ids.CpuSuspend, Standby0);
        _machine.Reset(kind);
        Assert.Equal(SuspendMode.PlatformCoordinated, Mode);
        Assert.Equal(Answer.Success, _machine.Call(Ids.SetSuspendMode, OsInitiated)); // nor has CPU_SUSPEND been used
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          0.0.0.1            0.0.1.0            0.0.1.1            asked            status
    [InlineData("running",         "running",         "running",         Sleep0,          0)]  // its own core alone
    [InlineData("running",         "off",             "off",             Sleep1,          -3)] // DENIED: a core of the cluster runs
    [InlineData("running",         "off",             "off",             SleepRetention1, -3)]
    [InlineData("starting",        "off",             "off",             Sleep1,          -3)]
    [InlineData("freezing",        "off",             "off",             Sleep1,          -3)]
    [InlineData("off",             "running",         "running",         Sleep1,          0)]  // cores of other clusters matter not
    [InlineData("frozen",          "running",         "running",         Sleep1,          0)]
    [InlineData("sleep",           "running",         "running",         Sleep1,          0)]
    [InlineData("default suspend", "running",         "running",         Sleep1,          0)]
    [InlineData("retention",       "running",         "running",         SleepRetention1, 0)]  // as deep as is asked for
    [InlineData("retention",       "running",         "running",         Sleep1,          -2)] // INVALID_PARAMETERS: a child is shallower
    [InlineData("standby",         "running",         "running",         SleepRetention1, -2)]
    [InlineData("standby",         "running",         "running",         Standby0,        0)]
    [InlineData("off",             "off",             "off",             Sleep2,          0)]
    [InlineData("off",             "off",             "running",         Sleep2,          -3)] // a core of the system runs
    [InlineData("off",             "off",             "starting",        Sleep2,          -3)]
    [InlineData("off",             "off",             "sleep",           Sleep2,          -2)] // its cluster was not asked to go down
    [InlineData("off",             "sleep",           "cluster sleep",   Sleep2,          0)]
    [InlineData("off",             "sleep",           "cluster retention", Sleep2,        -2)] // shallower than powerdown
    [InlineData("retention",       "sleep",           "cluster sleep",   Sleep2,          -2)]
    [InlineData("retention",       "off",             "running",         Sleep2,          -3)] // runs before is shallower
    [InlineData("sleep",           "off",             "off",             Sleep2,          0)]
#pragma warning restore format
    public void OS_initiated_requests_must_fit_what_the_others_do(string second, string third, string fourth, uint asked, int status)
    {
        _machine.Call(Ids.SetSuspendMode, OsInitiated);
        foreach (var (core, wanted) in new[] { (1, second), (2, third), (3, fourth) })
        {
            Bring(_machine, wanted, core);
        }

        if (status < 0)
        {
            Refuses(_machine, status, _machine.Core(0), Ids.CpuSuspend, asked, 1); // the consistency before the entry point
            return;
        }

        Effect effect = asked == Standby0 ? new Effect.Standby() : new Effect.PowerDown(Entry, 7);
        Assert.Equal(Answer.Success with { Then = effect }, _machine.Call(Ids.CpuSuspend, asked, Entry, 7));
    }

    [Theory]
    [InlineData(Sleep1)]
    [InlineData(Sleep2)]
    public void Platform_coordinated_requests_are_votes(uint asked)
    {
        Bring(_machine, "running");
        Bring(_machine, "running", core: 2);
        Assert.Equal(Answer.Success with { Then = new Effect.PowerDown(Entry, 7) }, _machine.Call(Ids.CpuSuspend, asked, Entry, 7));
    }

    [Fact]
    public void CPU_DEFAULT_SUSPEND_and_SYSTEM_SUSPEND_need_no_consistency()
    {
        _machine.Call(Ids.SetSuspendMode, OsInitiated);
        Bring(_machine, "running");
        Assert.Equal(Answer.Success with { Then = new Effect.PowerDown(Entry, 7) }, _machine.Call(Ids.CpuDefaultSuspend, Entry, 7));
    }

    private SuspendMode Mode => _machine.StateOf<PsciState>().Mode;

    private static void Check(TestMachine machine, int status, ulong mode)
    {
        if (status < 0)
        {
            Refuses(machine, status, machine.Core(0), Ids.SetSuspendMode, mode);
        }
        else
        {
            Assert.Equal(Answer.Success, machine.Call(Ids.SetSuspendMode, mode));
        }
    }

    private static void Bring(TestMachine machine, string wanted, int core = 1)
    {
        if (wanted is "off")
        {
            return;
        }

        machine.Call(Ids.CpuOn, machine.Core(core).Mpidr.Value, Entry);
        if (wanted is "starting")
        {
            return;
        }

        machine.Core(core).Started();
        _ = wanted switch
        {
            "running" => default,
            "standby" => machine.Core(core).Call(Ids.CpuSuspend, Standby0),
            "retention" => machine.Core(core).Call(Ids.CpuSuspend, Retention0),
            "sleep" or "suspended" or "has suspended" => machine.Core(core).Call(Ids.CpuSuspend, Sleep0, Entry),
            "cluster sleep" => machine.Core(core).Call(Ids.CpuSuspend, Sleep1, Entry),
            "cluster retention" => machine.Core(core).Call(Ids.CpuSuspend, SleepRetention1, Entry),
            "default suspend" => machine.Core(core).Call(Ids.CpuDefaultSuspend, Entry),
            "freezing" or "frozen" => machine.Core(core).Call(Ids.CpuFreeze),
            _ => throw new ArgumentOutOfRangeException(nameof(wanted)),
        };
        if (wanted is "frozen")
        {
            machine.Core(core).Stopped();
        }

        if (wanted is "has suspended")
        {
            machine.Core(core).Woke();
        }
    }
}

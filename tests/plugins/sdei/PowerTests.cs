using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>Events while cores come and go (DEN0054, Power management).</summary>
public sealed class PowerTests
{
    private const uint CpuSuspend = 0xC400_0001;
    private const ulong Standby = 0;
    private const ulong PowerDown = 0x1_0000;
    private const ulong WakeEntry = 0x4008_0000;

    private readonly TestMachine _machine = Machine(null, new PsciService());

    private TestCore Core => _machine.Core(0);

    private TestCore Other => _machine.Core(1);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          what                 masked
    [InlineData("cold boot",         true)]
    [InlineData("CPU_ON",            true)]
    [InlineData("powerdown",         true)]
    [InlineData("standby",           false)] // mask state kept
    [InlineData("cold reset",        true)]
    [InlineData("warm reset",        true)]
#pragma warning restore format
    public void A_PE_that_comes_up_is_masked(string what, bool isMasked)
    {
        var core = Other;
        if (what != "cold boot")
        {
            core.Unmasks();
            Core.Unmasks();
        }

        switch (what)
        {
            case "CPU_ON": core.Stopped(); core.Started(); break;
            case "powerdown": core.Call(CpuSuspend, PowerDown, WakeEntry, 0); core.Woke(); break;
            case "standby": core.Call(CpuSuspend, Standby, 0, 0); core.Woke(); break;
            case "cold reset": _machine.Reset(ResetKind.Cold); core = Core; break;
            case "warm reset": _machine.Reset(ResetKind.Warm); core = Core; break;
        }

        Assert.Equal(isMasked ? 0 : 1, core.Returns(Ids.PeMask));
    }

    [Theory]
    [InlineData(PowerDown)]
    [InlineData(Standby)]
    public void Registrations_survive_a_suspend_and_an_enabled_event_wakes(ulong powerState)
    {
        Core.Listens(0);
        Core.Unmasks();
        Core.Call(CpuSuspend, powerState, WakeEntry, 0);
        Assert.False(Core.WantsAttention);
        Other.Signals(Core);
        Assert.True(Core.WantsAttention);

        Core.Woke();
        Assert.Equal(powerState == Standby, Core.WantsAttention);
        Assert.Equal(3, Core.Status(0));
        Core.Unmasks();
        Core.Enters(0);
    }

    [Theory]
    [InlineData(PowerDown)]
    [InlineData(Standby)]
    public void A_masked_PE_sleeps_on(ulong powerState)
    {
        Core.Listens(0);
        Core.Call(CpuSuspend, powerState, WakeEntry, 0);
        Other.Signals(Core);
        Assert.False(Core.WantsAttention);
    }

    [Fact]
    public void No_event_powers_a_core_on()
    {
        Core.Listens(0);
        Core.Listens(SharedNormal);
        Core.Unmasks();
        Core.Stopped();
        Other.Signals(Core);
        Sdei.Raise(_machine, SharedNormal, null);
        Assert.Equal((false, false), (Core.WantsAttention, Other.WantsAttention));
    }

    [Fact]
    public void CPU_ON_begins_with_private_events_anew_and_keeps_what_waits()
    {
        Core.Listens(0);
        Core.Listens(SharedNormal);
        Core.Unmasks();
        Core.Stopped();
        Other.Signals(Core);
        Core.Started();
        Assert.Equal((0, 3), (Core.Status(0), Core.Status(SharedNormal)));
        Core.Unmasks();
        Assert.False(Core.WantsAttention);
        Core.Listens(0);
        Core.Enters(0);
        Assert.Equal(0ul, Sdei.Dropped(_machine));
    }

    [Fact]
    public void CPU_OFF_inside_handlers_completes_all_of_them()
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        Core.Listens(SharedCritical);
        Core.Unmasks();
        Core.Enters(spi, intid: Spi);
        Sdei.Raise(_machine, SharedCritical, null);
        Core.Enters(SharedCritical);
        Assert.Equal(-5, Core.Returns(Ids.EventUnregister, SharedCritical));
        Assert.False(Other.WantsAttention);

        Core.Stopped();
        Assert.Equal((3, 0), (Other.Status(spi), Other.Status(SharedCritical)));

        // Its interrupt is still active: whoever runs has it ended.
        Assert.True(Other.WantsAttention);
        Assert.Equal(Answer.NoResults with { EndedInterrupts = [Spi] }, Other.Attend(Interrupted()));
        Assert.False(Other.WantsAttention);
        Core.Started();
        Assert.Equal(-3, Core.Returns(Ids.EventComplete, 0));
    }

    [Fact]
    public void An_interrupt_of_the_core_that_stopped_needs_no_other_core()
    {
        var ppi = Core.Binds(Ppi);
        Core.Listens(ppi);
        Core.Unmasks();
        Core.Enters(ppi, intid: Ppi);
        Core.Stopped();
        Assert.False(Other.WantsAttention);
        Core.Started();
        Core.Listens(ppi);
        Core.Unmasks();
        Assert.False(Core.WantsAttention);
        Core.Enters(ppi, intid: Ppi);
    }

    [Fact]
    public void With_nobody_on_the_end_of_an_interrupt_waits()
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        Core.Unmasks();
        Core.Enters(spi, intid: Spi);
        Other.Stopped();
        Core.Stopped();
        Assert.Equal((false, false), (Core.WantsAttention, Other.WantsAttention));
        Other.Started();
        Assert.Equal(Answer.NoResults with { EndedInterrupts = [Spi] }, Other.Attend(Interrupted()));
    }

    [Fact]
    public void An_interrupt_that_waits_for_its_end_is_no_new_trigger_when_told_of_again()
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        Core.Unmasks();
        Other.Unmasks();
        Core.Enters(spi, intid: Spi);
        Core.Stopped();
        Assert.Equal(Answer.NoResults with { EndedInterrupts = [Spi] }, Other.Attend(Interrupted(), Spi));
        Assert.Equal((3, false), (Other.Status(spi), Other.WantsAttention));
    }

    [Theory]
    [InlineData(Ids.InterruptRelease)]
    [InlineData(Ids.SharedReset)]
    public void An_interrupt_that_was_returned_needs_no_end(uint id)
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        Core.Unmasks();
        Core.Enters(spi, intid: Spi);
        Core.Returns(Ids.EventUnregister, spi);
        Core.Stopped();
        Assert.True(Other.WantsAttention);
        Assert.Equal(Answer.Success with { ReturnedInterrupts = [Spi] }, Other.Call(id, spi));
        Assert.False(Other.WantsAttention);

        // Bound and fired again it is not ended before its handler has completed.
        Other.Binds(Spi);
        Other.Listens(spi);
        Assert.Equal(Answer.NoResults, Other.Attend(Interrupted(), Spi));
    }

    [Theory]
    [InlineData(ResetKind.Cold)]
    [InlineData(ResetKind.Warm)]
    public void SYSTEM_RESET_begins_anew(ResetKind kind)
    {
        Core.Signals(Core); // dropped
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        Core.Listens(0);
        Core.Unmasks();
        Core.Enters(spi, intid: Spi);
        Core.Signals(Core);
        Assert.Equal(1ul, Sdei.Dropped(_machine));

        _machine.Reset(kind);
        Assert.Equal((0, -2, 0ul), (Core.Status(0), Core.Status(spi), Sdei.Dropped(_machine)));
        Assert.Equal(-3, Core.Returns(Ids.EventContext, 0));
        Core.Listens(0);
        Core.Unmasks();
        Assert.False(Core.WantsAttention);
        Assert.Equal(spi, Core.Binds(Spi));
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    [InlineData(0x8400_0000u, 0x0ul)] // PSCI_VERSION
    [InlineData(0xC400_0004u, 0x1ul)] // AFFINITY_INFO
    [InlineData(0x8400_000Au, 0x8400_0000ul)] // PSCI_FEATURES
    [InlineData(0x8400_0009u, 0x0ul)] // SYSTEM_RESET
    [InlineData(0x8400_0008u, 0x0ul)] // SYSTEM_OFF
    [InlineData(0x8400_0002u, 0x0ul)] // CPU_OFF
    [InlineData(0x8400_000Bu, 0x0ul)] // CPU_FREEZE
    [InlineData(0xC400_0003u, 0x1ul)] // CPU_ON
#pragma warning restore format
    public void PSCI_works_inside_a_handler(uint id, ulong x1)
    {
        var outside = Core.Call(id, x1, WakeEntry, 0);
        var machine = Machine(null, new PsciService());
        var core = machine.Core(0);
        core.Listens(0);
        core.Unmasks();
        core.Signals(core);
        core.Enters(0);
        Assert.Equal(outside, core.Call(id, x1, WakeEntry, 0));
        Assert.Empty(machine.Failures);
    }
}

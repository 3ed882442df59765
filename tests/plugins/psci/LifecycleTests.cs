using System.Text.Json;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>Boot, reset and attaching again; reports of the host; the state as it is saved.</summary>
public sealed class LifecycleTests
{
    [Theory]
    [InlineData(ResetKind.Cold)]
    [InlineData(ResetKind.Warm)]
    public void After_a_reset_the_boot_core_is_ON_and_the_others_are_OFF(ResetKind kind)
    {
        var machine = InEveryState("1.3");
        machine.Reset(kind);
        Assert.Equal<CoreState>(
            [
                new(Core(0), PowerState.On), .. Enumerable.Range(1, 5).Select(i => new CoreState(Core((ulong)i), PowerState.Off)),
                new(Core(6), PowerState.Unavailable), new(Core(7), PowerState.Off),
            ],
            machine.StateOf<PsciState>().Cores);
    }

    [Fact]
    public void A_cold_reset_leaves_nothing_of_the_boot_before()
    {
        var machine = TwoClusters(Composite);
        var fresh = machine.StateOf<PsciState>();
        machine.Call(Ids.CpuOn, 1, Entry);
        machine.Call(Ids.MemProtect, 1);
        machine.Call(Ids.SetSuspendMode, 1);
        machine.Core(1).Call(Ids.CpuSuspend, Sleep0, Entry);
        machine.Core(1).Woke();
        machine.Reset();
        Assert.Equal(Timeless(fresh), Timeless(machine.StateOf<PsciState>()));
    }

    [Fact]
    public void The_list_of_an_attaching_host_wins_over_the_state()
    {
        var machine = TwoClusters(Composite);
        machine.Core(1).Started();
        machine.Call(Ids.CpuOn, 0x100, Entry);
        machine.Core(3).Call(Ids.CpuSuspend, Sleep1, Entry);
        machine.Attach(machine.Description with
        {
            Cores =
            [
                new(Core(0x200), CorePower.On), new(Core(0x101), CorePower.Suspended), new(Core(0x100), CorePower.Off),
                new(Core(0x1), CorePower.Suspended), new(Core(0x0), CorePower.Unavailable),
            ],
        });

        Assert.Equal<CoreState>(
            [
                new(Core(0x200), PowerState.On),
                new(Core(0x101), PowerState.Suspended, Requested: [LocalState.PowerDown, LocalState.PowerDown]), // as remembered
                new(Core(0x100), PowerState.Off),
                new(Core(0x1), PowerState.Suspended, Requested: [LocalState.Standby]), // the least
                new(Core(0x0), PowerState.Unavailable),
            ],
            machine.StateOf<PsciState>().Cores);
    }

    [Fact]
    public void A_core_that_was_suspended_when_its_host_attached_wakes_by_its_next_call()
    {
        var machine = TwoClusters(Composite);
        machine.Attach(machine.Description with { Cores = [new(Core(0x0), CorePower.Suspended), new(Core(0x1), CorePower.On)] });
        machine.Call(Ids.PsciVersion);
        Assert.Equal(new CoreState(Core(0x0), PowerState.On), machine.StateOf<PsciState>().Cores[0]);
    }

    [Fact]
    public void Attaching_keeps_the_mode_and_the_protection_of_memory()
    {
        var machine = TwoClusters(Composite);
        machine.Call(Ids.SetSuspendMode, 1);
        machine.Call(Ids.MemProtect, 1);
        machine.Call(Ids.CpuSuspend, Standby0);
        machine.Attach(TestMachine.Describe(2));
        var state = machine.StateOf<PsciState>();
        Assert.Equal((SuspendMode.OsInitiated, true, true), (state.Mode, state.MemProtect, state.HasSuspended));
    }

    [Fact]
    public void A_late_report_that_a_core_stopped_does_not_let_it_be_started_twice()
    {
        // The host that attached lists the core as off already, and its report comes after the next CPU_ON.
        var machine = TwoClusters(Composite);
        machine.Core(1).Call(Ids.CpuOff);
        machine.Attach(machine.Description);
        machine.Call(Ids.CpuOn, 1, Entry);
        machine.Core(1).Stopped();
        Refuses(machine, -5, machine.Core(0), Ids.CpuOn, 1, Entry);
        machine.Core(1).Started();
        Refuses(machine, -4, machine.Core(0), Ids.CpuOn, 1, Entry);
    }

    [Fact]
    public void Reports_of_a_core_that_the_machine_does_not_have_change_nothing()
    {
        var before = TwoClusters(Composite).StateOf<PsciState>();
        foreach (var change in Enum.GetValues<CoreChange>())
        {
            Assert.Same(before, new PsciService().CoreChanged(before, new(Core(0x300), change, default)));
        }
    }

    [Fact]
    public void A_core_that_its_host_started_after_all_is_ON()
    {
        var machine = InEveryState("1.3");
        machine.Core(6).Started();
        Assert.Equal(Answer.Value(0), machine.Call(Ids.AffinityInfo, 6));
    }

    [Fact]
    public void The_saved_state_reads_as_the_specification_speaks()
    {
        var machine = TwoClusters(Composite);
        machine.Call(Ids.CpuOn, 0x100, Entry);
        machine.Call(Ids.SetSuspendMode, 0);
        machine.Core(1).Call(Ids.CpuSuspend, SleepRetention1, Entry);
        var saved = JsonDocument.Parse(machine.State).RootElement;

        Assert.Equal(["On", "Suspended", "OnPending", "Off"], saved.GetProperty("Cores").EnumerateArray().Select(core => core.GetProperty("Power").GetString()));
        Assert.Equal(["PowerDown", "Retention"], saved.GetProperty("Cores")[1].GetProperty("Requested").EnumerateArray().Select(level => level.GetString()));
        Assert.Equal(
            ["Run", "PowerDown", "Off", "Off", "Run", "Off", "Run", "Run"],
            saved.GetProperty("Nodes").EnumerateArray().Select(node => node.GetProperty("State").GetString()));
        Assert.Equal("PlatformCoordinated", saved.GetProperty("Mode").GetString());
    }

    private static PsciState Timeless(PsciState state) => state with { Nodes = [.. state.Nodes.Select(node => node with { Since = null })] };
}

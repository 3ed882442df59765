using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>Answers that never took effect, of every function that has one: the guest was given a fallback instead.</summary>
public sealed class NotAppliedTests
{
    private readonly TestMachine _machine = TwoClusters(Composite);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          id                     x1            x2
    [InlineData(Ids.CpuSuspend,        Standby0,     Entry)]
    [InlineData(Ids.CpuSuspend,        Sleep2,       Entry)]
    [InlineData(Ids.CpuOff,            0u,           0ul)]
    [InlineData(Ids.CpuOn,             1u,           Entry)]
    [InlineData(Ids.SystemOff,         0u,           0ul)]
    [InlineData(Ids.SystemReset,       0u,           0ul)]
    [InlineData(Ids.CpuFreeze,         0u,           0ul)]
    [InlineData(Ids.CpuDefaultSuspend, (uint)Entry,  0ul)]
    [InlineData(Ids.SystemSuspend,     (uint)Entry,  0ul)]
    [InlineData(Ids.SetSuspendMode,    1u,           0ul)]
    [InlineData(Ids.SystemReset2,      0u,           0ul)]
    [InlineData(Ids.MemProtect,        1u,           0ul)]
    [InlineData(Ids.SystemOff2,        1u,           0ul)]
    [InlineData(Ids.AffinityInfo,      0u,           0ul)]
    [InlineData(Ids.PsciFeatures,      Ids.CpuOn,    0ul)]
#pragma warning restore format
    public void Leaves_a_machine_that_answers_as_before(uint id, uint first, ulong second)
    {
        const uint SveHint = 0x1_0000;
        foreach (var called in new[] { id, id | SveHint })
        {
            var before = Observed(_machine);
            Assert.NotEqual(Answer.NotSupported, _machine.Call(called, first, second));
            _machine.Core(0).FellBack();
            Assert.Equal(before, Observed(_machine));
            Assert.Empty(_machine.Failures);
        }
    }

    [Theory]
    [InlineData(Ids.CpuOn, 1u, 1ul)]                  // INVALID_ADDRESS
    [InlineData(Ids.CpuOn, 2u, Entry)]                // INVALID_PARAMETERS
    [InlineData(Ids.CpuSuspend, 0u, Entry)]
    [InlineData(Ids.SetSuspendMode, 2u, 0ul)]
    [InlineData(Ids.SystemReset2, 1u, 0ul)]
    public void Of_an_error_changes_nothing(uint id, uint first, ulong second)
    {
        _machine.Call(Ids.SetSuspendMode, 1);
        _machine.Call(Ids.MemProtect, 1);
        var before = _machine.StateOf<PsciState>();
        _machine.Call(id, first, second);
        _machine.Core(0).FellBack();
        Assert.Same(before, _machine.StateOf<PsciState>());
    }

    [Fact]
    public void Of_CPU_ON_does_not_stop_a_core_that_has_started()
    {
        _machine.Call(Ids.CpuOn, 1, Entry);
        _machine.Core(1).Started();
        _machine.Core(0).FellBack();
        Assert.Equal(Answer.Value(0), _machine.Call(Ids.AffinityInfo, 1));
    }

    [Fact]
    public void Of_CPU_ON_does_not_undo_that_of_another_core()
    {
        _machine.Core(2).Started();
        _machine.Core(0).Call(Ids.CpuOn, 1, Entry);
        _machine.Core(1).Refused();
        _machine.Core(2).Call(Ids.CpuOn, 1, Entry);
        _machine.Core(0).FellBack();
        Assert.Equal(Answer.Value(2), _machine.Call(Ids.AffinityInfo, 1)); // ON_PENDING
    }

    [Fact]
    public void Of_CPU_FREEZE_does_not_thaw_a_core_that_has_stopped()
    {
        _machine.Core(1).Call(Ids.CpuFreeze);
        _machine.Core(1).Stopped();
        _machine.Core(1).FellBack();
        Assert.Equal(Answer.Value(1), _machine.Call(Ids.AffinityInfo, 1));
    }

    [Theory]
    [InlineData(0ul, 1ul)] // both enable, or
    [InlineData(1ul, 0ul)] // the other disables what it was told is enabled
    public void Of_MEM_PROTECT_does_not_undo_that_of_another_core(ulong before, ulong after)
    {
        _machine.Core(1).Started();
        _machine.Call(Ids.MemProtect, before);
        _machine.Core(0).Call(Ids.MemProtect, 1);
        Assert.Equal(Answer.Value(1), _machine.Core(1).Call(Ids.MemProtect, after));
        _machine.Core(0).FellBack();
        Assert.Equal(Answer.Value(after), _machine.Call(Ids.MemProtect, 0));
    }

    [Fact]
    public void Of_PSCI_SET_SUSPEND_MODE_does_not_undo_that_of_another_core()
    {
        _machine.Core(1).Started();
        _machine.Core(0).Call(Ids.SetSuspendMode, 1);
        _machine.Core(1).Call(Ids.SetSuspendMode, 1);
        _machine.Core(0).FellBack();
        Assert.Equal(SuspendMode.OsInitiated, _machine.StateOf<PsciState>().Mode);
    }

    [Fact]
    public void Of_a_core_that_the_machine_no_longer_has_changes_nothing()
    {
        _machine.Core(1).Call(Ids.CpuFreeze);
        var gone = _machine.Core(1);
        _machine.Attach(TestMachine.Describe(1));
        var before = _machine.StateOf<PsciState>();
        gone.FellBack();
        Assert.Same(before, _machine.StateOf<PsciState>());
        Assert.Empty(_machine.Failures);
    }

    private static object Observed(TestMachine machine)
    {
        var state = machine.StateOf<PsciState>();
        return (state.Cores, state.Mode, state.MemProtect, new ValueArray<(LocalState, ValueArray<Stays>)>?([.. state.Nodes.Select(node => (node.State, node.Stays))]));
    }
}

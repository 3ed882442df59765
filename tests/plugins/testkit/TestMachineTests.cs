using Hypercalls.Hello;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using Hypercalls.Tests.Sdk;

namespace Hypercalls.Tests.Testkit;

public sealed class TestMachineTests
{
    private const uint Clock = 0x8200_0100;
    private const uint Dice = 0xC200_0101;

    [Fact]
    public void Has_one_core_on_and_the_others_off()
    {
        var description = new TestMachine(3, new HelloService()).Description;
        Assert.Equal([CorePower.On, CorePower.Off, CorePower.Off], description.Cores.Select(core => core.Power));
        Assert.Equal([new MemoryRange(0x4000_0000, 0x4000_0000)], description.Ram);
    }

    [Theory]
    [InlineData(0, "0.0.0.0")]
    [InlineData(15, "0.0.0.15")]
    [InlineData(16, "0.0.1.0")]
    [InlineData(17, "0.0.1.1")]
    [InlineData(4096, "0.1.0.0")]
    [InlineData(65535, "0.15.255.15")]
    public void Has_cores_in_clusters_of_16(int index, string affinity)
    {
        var cores = TestMachine.Describe(0x1_0000).Cores;
        Assert.Equal(affinity, cores[index].Mpidr.ToString());
        Assert.Equal(cores.Count, cores.Select(core => core.Mpidr).Distinct().Count());
    }

    [Fact]
    public void Time_stands_still_until_the_test_moves_it()
    {
        var machine = Instruments();
        Assert.Equal(machine.Call(Clock), machine.Call(Clock));

        machine.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(Answer.Value(1), machine.Call(Clock));
    }

    [Fact]
    public void Equal_seeds_give_equal_numbers()
    {
        var (one, same, other) = (Instruments(), Instruments(), Instruments());
        (one.Seed, same.Seed, other.Seed) = (7, 7, 8);
        var numbers = Enumerable.Range(0, 100).Select(_ => one.Call(Dice)).ToList();
        Assert.Equal(100, numbers.Distinct().Count());
        Assert.Equal(numbers, Enumerable.Range(0, 100).Select(_ => same.Call(Dice)));
        Assert.NotEqual(numbers[0], other.Call(Dice));
    }

    [Fact]
    public void Raises_an_event_at_the_only_service_that_takes_some_or_at_the_named_one()
    {
        var alone = new TestMachine(new HelloService(), new RaisableService(id: 0x8300_0000));
        Assert.Equal("1 at no core of test, 2000.", alone.Raise(1).Text);
        alone.Now = new(2001, 1, 1, 0, 0, 0, TimeSpan.Zero);
        Assert.Equal("2 at 0.0.0.0 of test, 2001.", alone.Raise(2, 0, "RAISABLE").Text);
        Assert.Equal("No service named HELLO takes events.", Assert.Throws<InvalidOperationException>(() => alone.Raise(1, service: "HELLO")).Message);
        Assert.Equal("No service takes events.", Assert.Throws<InvalidOperationException>(() => new TestMachine(new HelloService()).Raise(1)).Message);
        var several = new TestMachine(new RaisableService(), new RaisableService("OTHER", 0x8200_0001));
        Assert.Equal("Several services take events: RAISABLE, OTHER. Name one.", Assert.Throws<InvalidOperationException>(() => several.Raise(1)).Message);
        several.Raise(1, service: "OTHER");
        Assert.Equal([new("Taken", ["events"], [["0"]]), new("Taken", ["events"], [["1"]])], several.Tables);
    }

    [Fact]
    public void Shows_states_by_name_by_type_and_alone()
    {
        var machine = new TestMachine(new HelloService());
        machine.Call(0x8200_0002);
        Assert.Equal("{\n  \"Count\": 1\n}", machine.State.ReplaceLineEndings("\n"));

        var both = new TestMachine(new HelloService(), new PsciService());
        both.Call(0x8200_0002);
        Assert.Equal("{\n  \"Count\": 1\n}", both.StateOf("HELLO").ReplaceLineEndings("\n"));
        Assert.Equal(1u, both.StateOf<HelloState>().Count);
        Assert.Throws<InvalidOperationException>(() => both.State);
    }

    [Fact]
    public void A_core_calls_by_HVC_from_the_client_EL_unless_told_otherwise()
    {
        var seen = new List<(Conduit, int, bool)>();
        var service = new TableService("S", new() { { Clock, "F", (in call) => { seen.Add((call.Conduit, call.Pstate.ExceptionLevel, call.Pstate.IsAArch32)); return Answer.Success; } } });
        new TestMachine(service).Call(Clock);
        new TestMachine(TestMachine.Describe(1) with { ClientEl = 2 }, service).Core(0).Smc.Call(Clock);
        new TestMachine(service).Core(0).AArch32.Call(Clock);
        Assert.Equal([(Conduit.Hvc, 1, false), (Conduit.Smc, 2, false), (Conduit.Hvc, 1, true)], seen);
    }

    [Fact]
    public void Refuses_more_arguments_than_there_are_registers() =>
        Assert.Throws<ArgumentException>(() => new TestMachine(new HelloService()).Call(0x8200_0000, new ulong[18]));

    [Fact]
    public void Nothing_falls_back_before_a_call_or_twice()
    {
        var machine = new TestMachine(new HelloService());
        Assert.Throws<InvalidOperationException>(machine.Core(0).FellBack);
        machine.Call(0x8200_0000);
        machine.Core(0).FellBack();
        Assert.Throws<InvalidOperationException>(machine.Core(0).FellBack);
    }

    [Fact]
    public void What_the_kernel_keeps_reaches_no_service()
    {
        var machine = new TestMachine(new HelloService()) { Kernel = new TestKernel().Answers(0x8200_0000, 0x8200_0000).Refuses(0x8200_0002, 0xC200_0000) };
        Assert.Contains("0x8200_0000", Assert.Throws<InvalidOperationException>(() => machine.Call(0x8200_0000)).Message, StringComparison.Ordinal);
        Assert.Equal(Answer.NotSupported, machine.Call(0x8200_0002));
        Assert.Equal(0u, machine.StateOf<HelloState>().Count);
        Assert.Equal(Answer.Value(3), machine.Call(0x8200_0001, 1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TestKernel().Answers(2, 1));
    }

    [Fact]
    public void A_core_prints_its_affinity() => Assert.Equal("core 0.0.0.1", new TestMachine(2, new HelloService()).Core(1).ToString());

    [Theory]
    [InlineData(0u, false)] // standby
    [InlineData(1u, true)] // power-down
    [InlineData(2u, true)] // SYSTEM_SUSPEND
    public void A_core_that_wakes_has_lost_its_context_where_it_went_down_for_it(uint how, bool hasLost)
    {
        var service = new SleepService();
        var machine = new TestMachine(2, service);
        var core = machine.Core(0);
        core.Call(Clock, how);
        core.Woke();
        // The call itself is the news; a core that fell back never slept, and one that was stopped begins anew.
        core.Call(Clock, how);
        core.Call(Clock, 3);
        core.Call(Clock, how);
        core.FellBack();
        core.Call(Clock, 3);
        core.Call(Clock, how);
        core.Stopped();
        core.Started();
        core.Call(Clock, how);
        machine.Attach(machine.Description);
        core.Call(Clock, 3);
        core.Woke();
        Assert.Equal(
            [(CoreChange.Woke, hasLost), (CoreChange.Woke, hasLost), (CoreChange.Woke, false), (CoreChange.Stopped, false), (CoreChange.Started, false), .. hasLost ? [(CoreChange.Woke, true)] : Array.Empty<(CoreChange, bool)>(), (CoreChange.Woke, false)],
            service.Seen);
    }

    private sealed record NoState;

    private sealed class SleepService : Service<NoState>, ICoreLifecycle<NoState>
    {
        public List<(CoreChange, bool)> Seen { get; } = [];

        public override string Name => "SLEEP";

        public override string Version => "0";

        public override FunctionTable<NoState> Functions { get; } = new()
        {
            {
                Clock, "SLEEP", (in call) => Answer.Success with
                {
                    Then = call[1] switch
                    {
                        0 => new Effect.Standby(),
                        1 => new Effect.PowerDown(0x4000_0000, 0),
                        2 => new Effect.SystemEvent(SystemEventType.Suspend, [0x4000_0000, 0]),
                        _ => null,
                    },
                }
            },
        };

        public NoState Attached(NoState state, MachineDescription machine) => state;

        public NoState CoreChanged(NoState state, CoreReport report)
        {
            Seen.Add((report.Change, report.HasLostContext));
            return state;
        }
    }

    private static TestMachine Instruments() => new(new TableService("INSTRUMENTS", new()
    {
        { Clock, "CLOCK", (in call) => Answer.Value((ulong)call.Now.Second) },
        { Dice, "DICE", (in call) => Answer.Value(call.Random[0]) },
    }));
}

using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

public sealed class AttentionTests
{
    private const uint Ring = 0x8200_0000;

    private static readonly RegisterFile Interrupted = new() { X = [.. new ulong[31]], Pc = 0x4000_1234, Pstate = Pstate.El1h };

    [Fact]
    public void Is_a_level_that_the_state_gives_and_takes()
    {
        var machine = new TestMachine(2, new BellService());
        Assert.False(machine.Core(1).WantsAttention);

        machine.Call(Ring, 1);
        Assert.Equal((false, true), (machine.Core(0).WantsAttention, machine.Core(1).WantsAttention));

        Assert.Equal(
            Answer.NoResults with { Then = new Effect.Load { Pc = 0x4000_2000, Registers = [new(2, 0x4000_1234)] } },
            machine.Core(1).Attend(Interrupted));
        Assert.False(machine.Core(1).WantsAttention);
    }

    [Fact]
    public void A_core_that_nobody_wants_goes_on_unchanged() =>
        Assert.Equal(Answer.NoResults, new TestMachine(new BellService()).Core(0).Attend(Interrupted));

    [Fact]
    public void An_attention_answer_has_no_result_registers()
    {
        var machine = new TestMachine(new BellService { Answers = Answer.Value(1, 2, 3, 4) with { Then = new Effect.Load { Pc = 8 } } });
        machine.Call(Ring, 0);
        Assert.Equal(Answer.NoResults with { Then = new Effect.Load { Pc = 8 } }, machine.Core(0).Attend(Interrupted));
    }

    [Fact]
    public void A_service_that_throws_when_asked_wants_nothing()
    {
        var machine = new TestMachine(new BellService { ThrowsWhenAsked = true }, new BellService("OTHER", Ring + 1));
        machine.Call(Ring + 1, 0);
        Assert.True(machine.Core(0).WantsAttention);
        Assert.Equal(new Effect.Load { Pc = 0x4000_2000, Registers = [new(2, 0x4000_1234)] }, machine.Core(0).Attend(Interrupted).Then);
        Assert.Equal("BELL", machine.LastFailure?.Service.Name);
    }

    [Fact]
    public void A_service_that_throws_when_it_attends_lets_the_core_go_on()
    {
        var machine = new TestMachine(new BellService { ThrowsWhenAttending = true });
        machine.Call(Ring, 0);
        Assert.Equal(Answer.NoResults, machine.Core(0).Attend(Interrupted));
        Assert.Equal("attention", machine.LastFailure?.During);
        Assert.True(machine.Core(0).WantsAttention);
    }

    [Fact]
    public void What_a_core_never_loaded_waits_again()
    {
        var machine = new TestMachine(new BellService());
        machine.Core(0).Call(Ring, 0);
        machine.Core(0).Attend(Interrupted);
        Assert.False(machine.Core(0).WantsAttention);
        machine.Core(0).FellBack();
        Assert.True(machine.Core(0).WantsAttention);
    }

    private sealed record BellState
    {
        public ValueArray<ulong> Rung { get; init; }
    }

    private sealed class BellService(string name = "BELL", uint ring = Ring) : Service<BellState>, IAttention<BellState>
    {
        public override string Name => name;

        public override string Version => "0";

        public override FunctionTable<BellState> Functions { get; } = new()
        {
            { ring, "RING", (in call, state) => (state with { Rung = [.. state.Rung, call[1]] }, Answer.Success), "core" },
        };

        public Answer? Answers { get; init; }

        public bool ThrowsWhenAsked { get; init; }

        public bool ThrowsWhenAttending { get; init; }

        public bool WantsAttention(BellState state, Mpidr core) =>
            ThrowsWhenAsked ? throw new InvalidOperationException("asked") : state.Rung.Contains(core.Value);

        public Outcome<BellState> Attend(BellState state, AttentionExit stopped)
        {
            if (ThrowsWhenAttending)
            {
                throw new InvalidOperationException("attending");
            }

            return (
                state with { Rung = [.. state.Rung.Where(rung => rung != stopped.Core.Value)] },
                Answers ?? Answer.NoResults with { Then = new Effect.Load { Pc = 0x4000_2000, Registers = [new(2, stopped.Registers.Pc)] } });
        }

        public BellState NotApplied(BellState state, AttentionExit stopped, in Answer answer) => state with { Rung = [.. state.Rung, stopped.Core.Value] };
    }
}

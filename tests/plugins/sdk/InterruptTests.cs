using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

public sealed class InterruptTests
{
    private const uint Take = 0x8200_0000;
    private const uint GiveBack = 0x8200_0001;
    private const uint End = 0x8200_0002;

    private static readonly System.Text.Json.JsonSerializerOptions s_json = new() { Converters = { new MpidrJson() } };
    private static readonly RegisterFile Interrupted = new() { X = [.. new ulong[31]], Pc = 0x4000_1234, Pstate = Pstate.El1h };
    private static readonly MachineDescription Offering = TestMachine.Describe(2) with { Interrupts = [new(16, 28), new(30, 31), new(32, 1019)] };

    [Fact]
    public void A_taken_interrupt_that_fires_is_told_its_service_before_attention_is_asked_for()
    {
        var machine = new TestMachine(Offering, new Collector("OTHER", 0x10), new Collector());
        Assert.Equal(Answer.Success with { Then = new Effect.TakeInterrupt(27, -3) }, machine.Call(Take, 27));

        var entered = machine.Core(1).Attend(Interrupted, 27);

        Assert.Equal(Answer.NoResults with { Then = new Effect.Load { Pc = 0x4000_2000, Registers = [new(0, 27)] } }, entered);
        Assert.Equal([new Firing(machine.Core(1).Mpidr, 27)], StateOf(machine).Fired);
    }

    [Fact]
    public void An_interrupt_that_fired_waits_in_the_state_where_the_core_is_not_wanted()
    {
        var machine = new TestMachine(Offering, new Collector { IsMasked = true });
        machine.Call(Take, 27);
        Assert.Equal(Answer.NoResults, machine.Core(0).Attend(Interrupted, 27));
        Assert.Equal([new Firing(machine.Core(0).Mpidr, 27)], StateOf(machine).Fired);
    }

    [Fact]
    public void One_that_no_service_holds_goes_back_to_the_guest()
    {
        var machine = new TestMachine(Offering, new Collector());
        Assert.Equal(Answer.NoResults with { ReturnedInterrupts = [40] }, machine.Core(0).Attend(Interrupted, 40));
        Assert.Null(machine.LastFailure);
    }

    [Theory]
    [InlineData("holds")]
    [InlineData("fired")]
    [InlineData("null")]
    public void One_whose_service_fails_goes_back_to_the_guest_and_the_fault_is_reported(string fails)
    {
        var machine = new TestMachine(Offering, new Collector { Fails = fails });
        machine.Call(Take, 27);
        Assert.Equal(Answer.NoResults with { ReturnedInterrupts = [27] }, machine.Core(0).Attend(Interrupted, 27));
        Assert.Equal(("COLLECTOR", "interrupt"), (machine.LastFailure?.Service.Name, machine.LastFailure?.During));
        Assert.Empty(StateOf(machine).Fired);
    }

    [Fact]
    public void A_service_that_is_not_asked_gets_no_interrupt()
    {
        var collector = new Collector();
        var services = new ServiceSet([collector]);
        var state = services.Serve(Call(Take, 27), services.NewState(Offering)).State;
        var served = services.Attend(state, new(default, Interrupted, 27, default), [collector]);
        Assert.Equal(Answer.NoResults with { ReturnedInterrupts = [27] }, served.Answer);
        served = services.Without(collector).Attend(state, new(default, Interrupted, 27, default));
        Assert.Equal(Answer.NoResults with { ReturnedInterrupts = [27] }, served.Answer);
    }

    [Fact]
    public void Another_service_still_attends_where_the_one_that_was_told_fails()
    {
        var machine = new TestMachine(Offering, new Collector { Fails = "fired" }, new Collector("OTHER", 0x10));
        machine.Call(Take, 27);
        machine.Call(Take + 0x10, 28);
        machine.Core(0).Attend(Interrupted, 28);
        Assert.Equal(
            Answer.NoResults with { ReturnedInterrupts = [27], Then = new Effect.Load { Pc = 0x4000_2000, Registers = [new(0, 28)] } },
            machine.Core(0).Attend(Interrupted, 27));
        Assert.Equal("COLLECTOR", machine.LastFailure?.Service.Name);
    }

    [Fact]
    public void What_an_interrupt_made_a_core_load_waits_again_where_it_was_not_loaded()
    {
        var machine = new TestMachine(Offering, new Collector());
        machine.Call(Take, 27);
        machine.Core(0).Attend(Interrupted, 27);
        machine.Core(0).FellBack();
        Assert.Equal(1, StateOf(machine).Lost);
    }

    [Theory]
    [InlineData(15u, "takes interrupt 15, which the host of test does not offer")] // an SGI
    [InlineData(29u, "takes interrupt 29, which the host of test does not offer")] // the secure timer
    [InlineData(1020u, "takes interrupt 1020, which the host of test does not offer")]
    public void Taking_what_the_host_does_not_offer_is_a_fault_of_the_service(uint intid, string sentence) => Fails(new(Offering, new Collector()), Take, intid, sentence);

    [Fact]
    public void Where_the_host_offers_none_none_can_be_taken() => Fails(new(2, new Collector()), Take, 27, "takes interrupt 27, which the host of test does not offer");

    [Theory]
    [InlineData(GiveBack, 15u, "returns interrupt 15; 16 to 1019 can be taken")]
    [InlineData(End, 1020u, "ends interrupt 1020; 16 to 1019 can be taken")]
    public void So_is_ending_or_returning_what_no_interrupt_is(uint call, uint intid, string sentence) => Fails(new(Offering, new Collector()), call, intid, sentence);

    [Fact]
    public void A_stopped_core_takes_none()
    {
        var machine = new TestMachine(Offering, new Collector { Takes = true });
        machine.Call(Take, 27);
        Assert.Equal(Answer.NoResults, machine.Core(0).Attend(Interrupted, 27));
        Assert.Contains("only the answer of a call can", machine.LastFailure?.Exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16u, true)]
    [InlineData(28u, true)]
    [InlineData(29u, false)]
    [InlineData(30u, true)]
    [InlineData(1019u, true)]
    [InlineData(1020u, false)]
    [InlineData(0u, false)]
    public void A_machine_offers_what_its_ranges_hold(uint intid, bool offers) => Assert.Equal(offers, Offering.Offers(intid));

    [Fact]
    public void An_effect_s_text_names_the_interrupts()
    {
        var answer = Answer.NoResults with { Then = new Effect.Load { Pc = 0x40 }, EndedInterrupts = [27], ReturnedInterrupts = [33, 34] };
        Assert.Equal("go on at 0x40, end interrupt 27, return interrupt 33, return interrupt 34", new Served(null!, answer, null, null, null).EffectText());
        Assert.Equal("return interrupt 33", new Served(null!, Answer.NoResults with { ReturnedInterrupts = [33] }, null, null, null).EffectText());
        Assert.Equal("", new Served(null!, Answer.Success, null, null, null).EffectText());
    }

    private static void Fails(TestMachine machine, uint call, uint intid, string sentence)
    {
        Assert.Equal(Answer.NotSupported, machine.Call(call, intid));
        Assert.Contains(sentence, machine.LastFailure?.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(machine.StateOf<CollectorState>().Held);
    }

    private static CollectorState StateOf(TestMachine machine) =>
        System.Text.Json.JsonSerializer.Deserialize<CollectorState>(machine.StateOf("COLLECTOR"), s_json)!;

    private static Hypercall Call(uint id, ulong x1)
    {
        var registers = new CallRegisters();
        (registers[0], registers[1]) = (id, x1);
        return new() { Function = new(id), Registers = registers, Machine = Offering, Supplied = 0x3F };
    }

    private readonly record struct Firing(Mpidr Core, uint Intid);

    private sealed record CollectorState
    {
        public ValueArray<uint> Held { get; init; }

        public ValueArray<Firing> Fired { get; init; }

        public int Lost { get; init; }
    }

    private sealed class Collector(string name = "COLLECTOR", uint offset = 0) : Service<CollectorState>, IAttention<CollectorState>, IInterrupts<CollectorState>
    {
        public override string Name => name;

        public override string Version => "0";

        public override FunctionTable<CollectorState> Functions { get; } = new()
        {
            { Take + offset, "TAKE", (in call, state) => (state with { Held = [.. state.Held, (uint)call[1]] }, Answer.Success with { Then = new Effect.TakeInterrupt((uint)call[1], -3) }), "intid" },
            { GiveBack + offset, "GIVE_BACK", (in call) => Answer.Success with { ReturnedInterrupts = [(uint)call[1]] }, "intid" },
            { End + offset, "END", (in call) => Answer.Success with { EndedInterrupts = [(uint)call[1]] }, "intid" },
        };

        public string Fails { get; init; } = "";

        public bool IsMasked { get; init; }

        public bool Takes { get; init; }

        public bool Holds(CollectorState state, uint intid) => Fails == "holds" ? throw new InvalidOperationException("holds") : state.Held.Contains(intid);

        public CollectorState Fired(CollectorState state, Mpidr core, uint intid) => Fails switch
        {
            "fired" => throw new InvalidOperationException("fired"),
            "null" => null!,
            _ => state with { Fired = [.. state.Fired, new(core, intid)] },
        };

        public bool WantsAttention(CollectorState state, Mpidr core) => !IsMasked && state.Fired.Any(fired => fired.Core == core);

        public Outcome<CollectorState> Attend(CollectorState state, AttentionExit stopped) => Answer.NoResults with
        {
            Then = Takes ? new Effect.TakeInterrupt(28, -3) : new Effect.Load { Pc = 0x4000_2000, Registers = [new(0, state.Fired.First(fired => fired.Core == stopped.Core).Intid)] },
        };

        public CollectorState NotApplied(CollectorState state, AttentionExit stopped, in Answer answer) => state with { Lost = state.Lost + 1 };
    }
}

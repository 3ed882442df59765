using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Client;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;
using HelloMessage = Hypercalls.Protos.Hello;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>Functions that ask the host for memory and registers between an exit and its answer.</summary>
public sealed class SupplyTests(IsolationTests.ShortDeadlines deadlines) : IClassFixture<IsolationTests.ShortDeadlines>
{
    /// <summary>TRIALS NEED(address): eight bytes there, x7, VBAR.</summary>
    private const ulong NeedId = 0xC300_0013;

    private const ulong Echo = 0xC300_0000;
    private const ulong Ram = 0x4000_0000;

    private readonly TestDaemon _daemon = deadlines.Daemon;

    [Fact]
    public async Task A_function_is_answered_once_it_has_what_it_asked_for()
    {
        await using var host = await AttachAsync(_daemon, Supplying("supplies"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(NeedId, 1, null, Ram + 8) });
        Assert.Equal(new Need { ExitId = 1, Registers = { 7 }, Memory = { new MemoryRange { Base = Ram + 8, Size = 8 } } }, (await vcpu.NextAsync()).Need);
        await vcpu.SendAsync(new() { Supply = MemoryAndX7(1) });
        Assert.Equal(new Need { ExitId = 1, System = { SystemRegister.VbarElc } }, (await vcpu.NextAsync()).Need);
        Assert.Equal(0ul, (await MachineAsync("supplies")).Calls);
        await vcpu.SendAsync(new() { Supply = Vbar(1) });
        Assert.Equal(new Results { X0 = 0x0807_0605_0403_0201, X1 = 77, X2 = 0xFFFF_0000 }, (await vcpu.AnswerAsync()).Values);
        Assert.Equal((1ul, 0ul), ((await MachineAsync("supplies")).Calls, (await MachineAsync("supplies")).Failures));

        // The exit again, on another stream: the committed answer, and nothing is asked.
        using var again = await host.OpenAsync(0);
        Assert.Equal(77ul, (await again.ForwardAsync(Call(NeedId, 1, null, Ram + 8))).Values.X1);
        Assert.Equal(1ul, (await MachineAsync("supplies")).Calls);
    }

    [Fact]
    public async Task An_exit_that_is_sent_again_in_the_middle_is_asked_about_again()
    {
        await using var host = await AttachAsync(_daemon, Supplying("interrupted"));
        using (var first = await host.OpenAsync(0))
        {
            await first.SendAsync(new() { Exit = Call(NeedId, 1, null, Ram) });
            Assert.NotNull((await first.NextAsync()).Need);
        }

        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(NeedId, 1, null, Ram) });
        Assert.NotNull((await vcpu.NextAsync()).Need);
        await vcpu.SendAsync(new() { Supply = MemoryAndX7(1, Ram) });
        Assert.NotNull((await vcpu.NextAsync()).Need);
        await vcpu.SendAsync(new() { Supply = Vbar(1) });
        Assert.Equal(77ul, (await vcpu.AnswerAsync()).Values.X1);
    }

    public static TheoryData<string, Supply> WrongSupplies => new()
    {
        { "nothing",         new() { ExitId = 1 } },
        { "no memory",       Wrong(supply => supply.Memory.Clear()) },
        { "too little",      Wrong(supply => supply.Memory[0].Data = ByteString.CopyFrom(1, 2, 3)) },
        { "too much",        Wrong(supply => supply.Memory[0].Data = ByteString.CopyFrom(new byte[9])) },
        { "elsewhere",       Wrong(supply => supply.Memory[0].Base++) },
        { "twice",           Wrong(supply => supply.Memory.Add(supply.Memory[0].Clone())) },
        { "no register",     Wrong(supply => supply.Registers.Clear()) },
        { "another one",     Wrong(supply => supply.Registers[0].Index = 8) },
        { "none that is",    Wrong(supply => supply.Registers[0].Index = uint.MaxValue) },
        { "system as well",  Wrong(supply => supply.System.Add(new SystemRegisterValue { Register = SystemRegister.VbarElc })) },
    };

    [Theory]
    [MemberData(nameof(WrongSupplies))]
    public async Task What_was_not_asked_for_is_no_supply(string what, Supply supply)
    {
        var name = $"wrong: {what}";
        await using var host = await AttachAsync(_daemon, Supplying(name));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(NeedId, 1, null, Ram) });
        Assert.NotNull((await vcpu.NextAsync()).Need);
        await vcpu.SendAsync(new() { Supply = supply });
        var answer = await vcpu.AnswerAsync();
        Assert.Equal(new Results { X0 = ulong.MaxValue }, answer.Values);
        Assert.StartsWith("TRIALS failed in NEED: NotSupportedException: a test does not supply what the function asks for", answer.Note, StringComparison.Ordinal);
        Assert.Equal(1ul, (await MachineAsync(name)).Failures);
    }

    [Fact]
    public async Task A_host_that_does_not_say_that_it_supplies_is_not_asked()
    {
        await using var host = await AttachAsync(_daemon, Greeting("mute"));
        using var vcpu = await host.OpenAsync(0);
        var answer = await vcpu.ForwardAsync(Call(NeedId, 1, null, Ram));
        Assert.Equal(new Results { X0 = ulong.MaxValue }, answer.Values);
        Assert.StartsWith("TRIALS failed in NEED: NotSupportedException: a test cannot supply guest memory or registers: it lacks the feature \"supply\"", answer.Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_supply_that_does_not_come_in_time_commits_nothing_and_one_that_is_late_is_dropped()
    {
        await using var host = await AttachAsync(_daemon, Supplying("late"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(NeedId, 1, null, Ram) });
        Assert.NotNull((await vcpu.NextAsync()).Need);
        var answer = await vcpu.AnswerAsync();
        Assert.Equal(
            (true, "TRIALS waited for what it asked the host for in NEED for longer than 2000 ms: nothing is committed."),
            (answer.NotServed, answer.Note));

        await vcpu.SendAsync(new() { Supply = MemoryAndX7(1, Ram) });
        Assert.Equal(8ul, (await vcpu.ForwardAsync(Call(Echo, 2, FellBack(1), 7))).Values.X0);
        Assert.Equal((1ul, 1ul), ((await MachineAsync("late")).Calls, (await MachineAsync("late")).Fallbacks));
    }

    [Fact]
    public async Task A_supply_for_another_exit_is_not_taken_for_this_one()
    {
        await using var host = await AttachAsync(_daemon, Supplying("confused"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(NeedId, 5, null, Ram) });
        Assert.NotNull((await vcpu.NextAsync()).Need);
        await vcpu.SendAsync(new() { Supply = MemoryAndX7(4, Ram) });
        await vcpu.SendAsync(new() { Supply = MemoryAndX7(5, Ram) });
        Assert.NotNull((await vcpu.NextAsync()).Need);
        await vcpu.SendAsync(new() { Supply = Vbar(5) });
        Assert.Equal(5ul, (await vcpu.AnswerAsync()).ExitId);
    }

    [Fact]
    public async Task A_host_that_goes_on_instead_has_given_the_exit_up()
    {
        await using var host = await AttachAsync(_daemon, Supplying("hasty"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(NeedId, 1, null, Ram) });
        Assert.NotNull((await vcpu.NextAsync()).Need);
        await vcpu.SendAsync(new() { Exit = Call(Echo, 2, FellBack(1), 7) });
        Assert.True((await vcpu.AnswerAsync()).NotServed);
        Assert.Equal(8ul, (await vcpu.AnswerAsync()).Values.X0);
    }

    [Fact]
    public async Task Other_cores_are_served_while_a_host_is_asked()
    {
        await using var host = await AttachAsync(_daemon, Supplying("busy"));
        using var first = await host.OpenAsync(0);
        using var second = await host.OpenAsync(1);
        await first.SendAsync(new() { Exit = Call(NeedId, 1, null, Ram) });
        Assert.NotNull((await first.NextAsync()).Need);
        Assert.Equal(8ul, (await second.ForwardAsync(Call(Echo, 1, null, 7))).Values.X0);
    }

    [Fact]
    public async Task The_client_library_supplies_what_its_host_has()
    {
        List<Need> asked = [];
        var hello = Supplying("library");
        await using var session = await MachineSession.AttachAsync(_daemon.Invoker, () => hello, AllForwarded(), (_, _) => { }, new());
        using var vcpu = session.OpenVcpu(0, need =>
        {
            asked.Add(need.Clone());
            return need.Memory.Count == 1 ? MemoryAndX7(need.ExitId, Ram) : Vbar(need.ExitId);
        });
        Assert.Equal(77ul, await Task.Run(() => vcpu.Forward(Call(NeedId, 1, null, Ram))?.Values.X1));
        Assert.Equal([1, 0], asked.Select(need => need.Memory.Count));

        // A host that has nothing to give answers so, and waits for nobody.
        using var empty = session.OpenVcpu(1);
        Assert.Equal(ulong.MaxValue, await Task.Run(() => empty.Forward(Call(NeedId, 1, null, Ram))?.Values.X0));
    }

    [Fact]
    public async Task By_hand_memory_is_that_of_a_machine_which_has_never_run_and_a_live_machine_is_not_asked()
    {
        var client = new global::Hypercalls.Protos.Hypercalls.HypercallsClient(_daemon.Invoker);
        Assert.Equal([0ul, 5, 0, 0], (await client.CallAsync(new() { Name = "NEED", Arguments = { Ram, 0, 0, 0, 0, 0, 5 } })).Results);
        await using var host = await AttachAsync(_daemon, Supplying("by hand"));
        var refusal = await Assert.ThrowsAsync<RpcException>(() => client.CallAsync(new() { Name = "NEED", Arguments = { Ram }, Machine = "by hand" }).ResponseAsync);
        Assert.Equal(
            new Status(StatusCode.FailedPrecondition, "NEED asks its caller for memory or registers, which only the guest's own call can supply; nothing was changed. On a scratch machine they are zero."),
            new Status(refusal.StatusCode, refusal.Status.Detail));
    }

    private static HelloMessage Supplying(string name)
    {
        var hello = Greeting(name);
        hello.OptionalFeatures.Add("supply");
        return hello;
    }

    private static Supply MemoryAndX7(ulong exitId, ulong address = Ram + 8) => new()
    {
        ExitId = exitId,
        Registers = { new Register { Index = 7, Value = 77 } },
        Memory = { new MemoryBlock { Base = address, Data = ByteString.CopyFrom(1, 2, 3, 4, 5, 6, 7, 8) } },
    };

    private static Supply Vbar(ulong exitId) => new() { ExitId = exitId, System = { new SystemRegisterValue { Register = SystemRegister.VbarElc, Value = 0xFFFF_0000 } } };

    private static Supply Wrong(Action<Supply> change)
    {
        var supply = MemoryAndX7(1, Ram);
        change(supply);
        return supply;
    }

    private async Task<Machine> MachineAsync(string name) => (await _daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == name);
}

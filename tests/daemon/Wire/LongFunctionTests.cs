using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>Long functions hold up no other core, are run once for an exit, and are given up at the deadline.</summary>
public sealed class LongFunctionTests(IsolationTests.ShortDeadlines deadlines) : IClassFixture<IsolationTests.ShortDeadlines>
{
    /// <summary>TRIALS WORK(milliseconds, deaf): its calls by this core; x1 is the run.</summary>
    private const ulong Work = 0xC300_0024;

    private const ulong Echo = 0xC300_0000;
    private const ulong Count = 0xC300_0023;

    private readonly TestDaemon _daemon = deadlines.Daemon;

    [Fact]
    public async Task Other_cores_are_served_meanwhile()
    {
        await using var host = await AttachAsync(_daemon, Greeting("at work"));
        using var first = await host.OpenAsync(0);
        using var second = await host.OpenAsync(1);
        var working = first.ForwardAsync(Call(Work, 1, null, 1500));
        var (exitId, served) = (0ul, 0);
        while (!working.IsCompleted)
        {
            exitId++;
            Assert.Equal(8ul, (await second.ForwardAsync(Call(Echo, exitId, exitId == 1 ? null : Applied(exitId - 1), 7))).Values.X0);
            served += working.IsCompleted ? 0 : 1;
        }

        Assert.Equal(1ul, (await working).Values.X0);
        Assert.NotEqual(0, served);
    }

    [Fact]
    public async Task An_exit_that_is_sent_again_waits_for_the_run_that_goes_on()
    {
        await using var host = await AttachAsync(_daemon, Greeting("twice"));
        using var first = await host.OpenAsync(1);
        await first.SendAsync(new() { Exit = Call(Work, 1, null, 700) });
        await IsAtWorkAsync("twice");
        using var second = await host.OpenAsync(1);
        var answer = await second.ForwardAsync(Call(Work, 1, null, 700));
        Assert.Equal(1ul, answer.Values.X0);
        using var third = await host.OpenAsync(1);
        Assert.Equal(answer.Values, (await third.ForwardAsync(Call(Work, 1, null, 700))).Values);

        // The next one is another run, and only the next.
        var next = await third.ForwardAsync(Call(Work, 2, Applied(1), 0));
        Assert.Equal(new Results { X0 = 2, X1 = next.Values.X1 }, next.Values);
        Assert.True(next.Values.X1 > answer.Values.X1);
        Assert.Equal(2ul, (await MachineAsync("twice")).Calls);
    }

    [Theory]
    [InlineData("slow work", 0)]
    [InlineData("swift work", 2)] // It hears first, and has ended before anybody else hears.
    public async Task One_that_takes_too_long_is_cancelled_and_commits_nothing(string name, ulong manner)
    {
        await using var host = await AttachAsync(_daemon, Greeting(name));
        using var vcpu = await host.OpenAsync(0);
        var answer = await vcpu.ForwardAsync(Call(Work, 1, null, 30_000, manner));
        Assert.Equal((true, "TRIALS worked in WORK for longer than 2000 ms: nothing is committed."), (answer.NotServed, answer.Note));
        // It heard that: the core works again as soon as its thread has ended, and the count has not moved.
        Assert.Equal(1ul, await WorksAgainAsync(vcpu, 2));
    }

    [Fact]
    public async Task One_that_does_not_hear_is_left_behind_and_the_core_begins_no_other()
    {
        await using var host = await AttachAsync(_daemon, Greeting("deaf work"));
        using var vcpu = await host.OpenAsync(0);
        Assert.True((await vcpu.ForwardAsync(Call(Work, 1, null, 5000, 1))).NotServed);
        var next = await vcpu.ForwardAsync(Call(Work, 2, FellBack(1), 0));
        Assert.Equal((true, "The last long function of this core has not ended: it was given up, and still runs."), (next.NotServed, next.Note));
        Assert.Equal(1ul, (await vcpu.ForwardAsync(Call(Count, 3, FellBack(2, 0)))).Values.X0);
        Assert.Equal(2ul, await WorksAgainAsync(vcpu, 4, Applied(3)));
    }

    [Fact]
    public async Task What_a_guest_began_that_was_reset_has_no_answer()
    {
        await using var host = await AttachAsync(_daemon, Greeting("reset at work"));
        using var vcpu = await host.OpenAsync(1);
        await vcpu.SendAsync(new() { Exit = Call(Work, 1, null, 700) });
        await IsAtWorkAsync("reset at work");
        await host.SayAsync(new() { Reset = new() { Boot = 2, Kind = ResetKind.Cold, Cause = "a test" } });
        var answer = await vcpu.AnswerAsync();
        Assert.Equal((Answer.ResultsOneofCase.None_, "An exit of an older boot."), (answer.ResultsCase, answer.Note));
        var fresh = Call(Work, 1, null, 0);
        fresh.Boot = 2;
        Assert.Equal(1ul, (await vcpu.ForwardAsync(fresh)).Values.X0);
    }

    [Fact]
    public async Task By_hand_it_works_too()
    {
        var client = new global::Hypercalls.Protos.Hypercalls.HypercallsClient(_daemon.Invoker);
        Assert.Equal(1ul, (await client.CallAsync(new() { Name = "WORK", Arguments = { 1 } })).Results[0]);
        await using var host = await AttachAsync(_daemon, Greeting("work by hand"));
        Assert.Equal(1ul, (await client.CallAsync(new() { Name = "WORK", Arguments = { 1 }, Machine = "work by hand" })).Results[0]);
        Assert.Equal(2ul, (await client.CallAsync(new() { Name = "WORK", Arguments = { 1 }, Machine = "work by hand" })).Results[0]);
    }

    /// <summary>An exit is proof that its core runs: once the daemon says so of one that was off it has the exit.</summary>
    private async Task IsAtWorkAsync(string machine)
    {
        while ((await MachineAsync(machine)).Cores[1].Power != CorePower.On)
        {
            await Task.Delay(10);
        }
    }

    /// <summary>Tries until the run that was given up has ended.</summary>
    private static async Task<ulong> WorksAgainAsync(Vcpu vcpu, ulong exitId, Previous? previous = null)
    {
        previous ??= FellBack(exitId - 1, 0);
        var lastApplied = previous.Outcome == Outcome.Applied ? previous.ExitId : previous.LastApplied;
        for (var attempt = 0; attempt < 200; attempt++, exitId++)
        {
            var answer = await vcpu.ForwardAsync(Call(Work, exitId, previous, 0));
            if (!answer.NotServed)
            {
                return answer.Values.X0;
            }

            previous = FellBack(exitId, lastApplied);
            await Task.Delay(100);
        }

        throw new InvalidOperationException("The run that was given up does not end.");
    }

    private async Task<Machine> MachineAsync(string name) => (await _daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == name);
}

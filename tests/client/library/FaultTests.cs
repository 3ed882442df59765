using System.Diagnostics;
using System.Text.Json;
using Hypercalls.Grpc;
using Hypercalls.Tests.Daemon;
using Hypercalls.Tests.Faults;
using Microsoft.Extensions.Logging;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Client.Library;

/// <summary>
/// A host and its daemon with a network between them that loses connections, holds bytes back, and delivers messages late, twice, in another order or never. The guest's
/// cores count, and start and stop each other: no call is served twice, none is lost, nobody waits for ever, and what fell back has not happened.
/// </summary>
[Collection(Fuzzing.Collection)]
public sealed class FaultTests(ITestOutputHelper output)
{
    private const int Cores = 4;
    private static readonly TimeSpan s_hostDeadline = TimeSpan.FromMilliseconds(400);

    // The daemon has the half of it. Machines that run tests are noisy: a thread may not run for seconds.
    private static readonly TimeSpan s_longest = (20 * s_hostDeadline) + TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_recovery = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Connections_that_are_cut_and_held_neither_lose_nor_repeat_a_call()
    {
        var fuzzing = Fuzzing.Begin(output, 15);
        await using var daemon = await StartAsync();
        await using var network = new FaultyNetwork(daemon.Socket, fuzzing.Seed);
        using var channel = HttpChannel.ForAddress(network.Address, new() { KeepAlivePingDelay = TimeSpan.FromSeconds(1), KeepAlivePingTimeout = TimeSpan.FromSeconds(1) });
        await using var machine = new ModelMachine(Cores, fuzzing.Seed);
        await machine.AttachAsync(channel.CreateCallInvoker());
        for (var round = 0; round == 0 || fuzzing.GoesOn; round++)
        {
            network.Faults = (round % 3) switch
            {
                0 => new(Cut: 300, Delay: 50),
                1 => new(Cut: 1000, Hold: 500),
                _ => new(Cut: 400, Delay: 20, Hold: 800),
            };
            machine.GoOn();
            await Task.Delay(1500);
            network.Faults = NetworkFaults.None;
            machine.Pause();
            await CheckAsync(machine, daemon, $"Seed {fuzzing.Seed}, round {round}");
        }

        output.WriteLine($"{machine.Calls} calls, {machine.Fallbacks} fallbacks; {network.Connections} connections, {network.Cuts} cut, {network.Holds} held; attached {machine.Session.Attachments} times");
        Assert.True(network.Cuts + network.Holds > 0 && machine.Session.Attachments > 1);
    }

    [Fact]
    public async Task Messages_that_are_lost_late_repeated_and_reordered_neither_lose_nor_repeat_a_call()
    {
        var fuzzing = Fuzzing.Begin(output, 15);
        await using var daemon = await StartAsync();
        var courier = new FaultyCourier(daemon.Invoker, fuzzing.Seed, s_hostDeadline);
        await using var server = await CourierServer.StartAsync(courier);
        await using var machine = new ModelMachine(Cores, fuzzing.Seed);
        // Its first attempt may be one of those that are cut.
        await courier.HealAsync();
        await machine.AttachAsync(server.Channel.CreateCallInvoker());
        for (var round = 0; round == 0 || fuzzing.GoesOn; round++)
        {
            courier.Break();
            machine.GoOn();
            await Task.Delay(1500);
            machine.Pause();
            await courier.HealAsync();
            await CheckAsync(machine, daemon, $"Seed {fuzzing.Seed}, round {round}");
        }

        output.WriteLine($"{machine.Calls} calls, {machine.Fallbacks} fallbacks; attached {machine.Session.Attachments} times; {courier.Done}");
    }

    [Fact]
    public async Task A_connection_that_falls_silent_is_left_for_another()
    {
        await using var daemon = await StartAsync();
        await using var network = new FaultyNetwork(daemon.Socket, 1);
        using var channel = HttpChannel.ForAddress(network.Address, new() { KeepAlivePingDelay = TimeSpan.FromSeconds(1), KeepAlivePingTimeout = TimeSpan.FromSeconds(1) });
        await using var machine = new ModelMachine(1, 1);
        await machine.AttachAsync(channel.CreateCallInvoker());
        Assert.True(machine.Cores[0].TryStart());
        Assert.Equal(1ul, machine.Cores[0].Call(ModelCore.Count));
        network.FallSilent();
        // Each exit waits for its own deadline and for no more.
        var began = Stopwatch.GetTimestamp();
        for (var exits = 1; exits <= 3; exits++)
        {
            Assert.Null(machine.Cores[0].Call(ModelCore.Count));
        }

        Assert.True(Stopwatch.GetElapsedTime(began) >= 3 * s_hostDeadline);
        network.SpeakAgain();
        var spoke = Stopwatch.GetTimestamp();
        while (machine.Session.Attachments == 1)
        {
            Assert.True(Stopwatch.GetElapsedTime(spoke) < s_recovery, "The session stays with the silent connection.");
            await Task.Delay(10);
        }

        output.WriteLine($"Attached again after {Stopwatch.GetElapsedTime(spoke).TotalSeconds:0.0} s");
        // The core makes no exit that could say what became of those before.
        while ((await daemon.Operator.ListMachinesAsync(new())).Machines[0].Fallbacks != 3)
        {
            Assert.True(Stopwatch.GetElapsedTime(spoke) < s_recovery, "The daemon has not heard of the exits that fell back in the silence.");
            await Task.Delay(10);
        }

        Assert.Equal([1ul], await CountsAsync(daemon));
        await CheckAsync(machine, daemon, "After the silence");
        Assert.Equal(2ul, machine.Cores[0].Counted);
    }

    private static async Task<TestDaemon> StartAsync()
    {
        var daemon = new TestDaemon(options =>
        {
            (options.DeadlineMs, options.HostDeadlineMs) = ((int)s_hostDeadline.TotalMilliseconds / 2, (int)s_hostDeadline.TotalMilliseconds);
        });
        await daemon.InitializeAsync();
        return daemon;
    }

    /// <summary>The network works and no core calls: daemon, host and guest are of one mind.</summary>
    private static async Task CheckAsync(ModelMachine machine, TestDaemon daemon, string when)
    {
        Assert.False(machine.Session.Ended.IsCompleted, $"{when}: the session ended: {(machine.Session.Ended.IsCompleted ? await machine.Session.Ended : "")}");
        foreach (var core in machine.Cores.Where(core => core.TryStart()))
        {
            // After its next exit the daemon knows of every exit before that fell back.
            Repeat(() => core.Call(ModelCore.Count) is not null, $"{when}: core {core.Number} is not served: {core.Session.LastFault}");
        }

        var boot = machine.Cores[0];
        foreach (var core in machine.Cores)
        {
            var expected = core.IsOn ? 0ul : 1ul;
            ulong? said = null;
            // Reports of the host have a stream of their own.
            Repeat(() => (said = boot.Call(ModelCore.AffinityInfo, (ulong)core.Number)) == expected, $"{when}: AFFINITY_INFO of core {core.Number} is {said} and not {expected}");
            if (!core.IsOn)
            {
                Repeat(() => (said = boot.Call(ModelCore.CpuOn, (ulong)core.Number)) is not null, $"{when}: CPU_ON of core {core.Number} is not served");
                Assert.True(said == 0, $"{when}: CPU_ON of core {core.Number}, which is off, is {(long?)said}");
                Assert.True(core.TryStart(), $"{when}: core {core.Number} was started and does not run");
                Repeat(() => core.Call(ModelCore.Count) is not null, $"{when}: core {core.Number} is not served: {core.Session.LastFault}");
            }
        }

        Assert.True(machine.Faults.Count == 0, $"{when}: {string.Join("\n", machine.Faults)}");
        Assert.Equal((when, machine.Cores.Select(core => core.Counted)), (when, await CountsAsync(daemon)), EqualCounts);
        Assert.True(machine.Cores.All(core => core.Longest < s_longest), $"{when}: a call took {machine.Cores.Max(core => core.Longest)}");
        var listed = Assert.Single((await daemon.Operator.ListMachinesAsync(new())).Machines);
        // Of several in a row the last one may come first: by the exit after them, while a lost connection is made again.
        Assert.True(listed.Attached && listed.Fallbacks <= (ulong)machine.Fallbacks, $"{when}: the daemon knows {listed.Fallbacks} fallbacks, the host {machine.Fallbacks}");
        if (machine.Session.Attachments == 1)
        {
            Assert.True(listed.Fallbacks == (ulong)machine.Fallbacks, $"{when}: the daemon knows {listed.Fallbacks} fallbacks, the host {machine.Fallbacks}");
        }

        var faults = daemon.Log.Where(entry => entry.Level >= LogLevel.Error).ToList();
        Assert.True(faults.Count == 0, $"{when}: {string.Join("\n", faults)}");
    }

    private static bool EqualCounts((string When, IEnumerable<ulong> Counts) seen, (string When, IEnumerable<ulong> Counts) kept) => seen.Counts.SequenceEqual(kept.Counts);

    /// <summary>What the service has counted of each core.</summary>
    private static async Task<IEnumerable<ulong>> CountsAsync(TestDaemon daemon)
    {
        var state = JsonDocument.Parse((await daemon.Operator.GetStateAsync(new() { Machine = ModelMachine.Name, Service = "TRIALS" })).Json);
        return [.. state.RootElement.GetProperty("Cores").EnumerateArray().Select(core => core.GetProperty("Count").GetUInt64())];
    }

    private static void Repeat(Func<bool> isDone, string fault)
    {
        var began = Stopwatch.GetTimestamp();
        while (!isDone())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < s_recovery, fault);
        }
    }
}

using Grpc.Core;
using Hypercalls.Client;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>A service that throws, loops, blocks or answers late, in any step: its machine goes on without it, and no other machine notices.</summary>
public sealed class IsolationTests : IClassFixture<IsolationTests.ShortDeadlines>
{
    private const ulong PsciVersion = 0x8400_0000;
    private const ulong CpuOn = 0xC400_0003;
    private const ulong AffinityInfo = 0xC400_0004;
    private const ulong Echo = 0xC300_0000;
    private const ulong Attend = 0xC300_0001;
    private const ulong Slow = 0xC300_0002;
    private const ulong Spin = 0xC300_0011;

    /// <summary>Longer than any deadline here, and in the service's code.</summary>
    private const ulong Hung = 20_000;

    private readonly TestDaemon _daemon;

    public IsolationTests(ShortDeadlines daemon) => _daemon = daemon.Daemon;

    [Theory]
    [InlineData("blocks", Slow)]
    [InlineData("loops", Spin)]
    public async Task Other_cores_and_other_machines_go_on_while_a_service(string does, ulong function)
    {
        await using var host = await AttachAsync(_daemon, Greeting(does));
        await using var neighbour = await AttachAsync(_daemon, Greeting($"beside one that {does}"));
        using var hung = await host.OpenAsync(0);
        using var other = await host.OpenAsync(1);
        using var beside = await neighbour.OpenAsync(0);
        await hung.SendAsync(new() { Exit = Call(function, 1, x1: Hung) });
        await InServiceAsync(does);

        var served = await other.ForwardAsync(Call(PsciVersion, 1));
        Assert.Equal((0x1_0003ul, false), (served.Values.X0, served.NotServed));
        Assert.Equal(6ul, (await beside.ForwardAsync(Call(Echo, 1, x1: 5))).Values.X0);
        // The service is none of this machine's any longer.
        Assert.Equal(ulong.MaxValue, (await other.ForwardAsync(Call(Echo, 2, Applied(1)))).Values.X0);
        Assert.Equal(0x1_0003ul, (await other.ForwardAsync(Call(PsciVersion, 3, Applied(2)))).Values.X0);
        Assert.Matches($"^TRIALS has not come back from {(function == Slow ? "SLOW" : "SPIN")} within 1000 ms: {does} goes on without it.$", Assert.Single(await RemarksAsync(does)));
        Assert.Empty(await RemarksAsync($"beside one that {does}"));
        // The core that called it asks again, as its host does, and gets what there is.
        using var again = await host.OpenAsync(0);
        Assert.Equal(ulong.MaxValue, (await again.ForwardAsync(Call(function, 1, x1: Hung))).Values.X0);
    }

    [Fact]
    public async Task A_service_that_hangs_is_left_behind_though_nobody_waits_for_it()
    {
        await using var host = await AttachAsync(_daemon, Greeting("alone"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(Slow, 1, x1: Hung) });
        Assert.Contains("alone goes on without it", await _daemon.SaysAsync("from SLOW within 1000 ms: alone goes on"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_comes_late_is_not_committed()
    {
        await using var host = await AttachAsync(_daemon, Greeting("late"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(0xC300_000F, 1, x1: 3000) }); // SLOW_ATTEND: asks for attention when it is done
        var late = await vcpu.AnswerAsync();
        Assert.Equal((true, ulong.MaxValue, 0ul, false), (late.NotServed, late.Values.X0, late.Commit, late.AttendBeforeResume));
        // The host does as its rules say, and tells it.
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(PsciVersion, 2, FellBack(1)))).Values.X0);
        var machine = (await _daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == "late");
        Assert.Equal(1ul, machine.Fallbacks);
    }

    [Theory]
    [InlineData("attach")]
    [InlineData("tree")]
    public async Task A_host_gets_in_where_a_service_hangs_over_its(string step)
    {
        var name = $"hangs in {step}";
        // The library's patience is one attempt's; a daemon's is shorter.
        await using var first = await GreetAsync(_daemon, Greeting(name), AllForwarded());
        await InServiceAsync(name);
        var hello = Greeting(name);
        hello.Token = first.Welcome.Token;
        await using var host = await AttachAsync(_daemon, hello);
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(PsciVersion, 1))).Values.X0);
        Assert.Equal(0ul, (await vcpu.ForwardAsync(Call(CpuOn, 2, Applied(1), 1, 0x4008_0000))).Values.X0);
        Assert.DoesNotContain(host.Accepted.Served, range => range.Service == "TRIALS");
        Assert.Contains("TRIALS has not come back", Assert.Single(await RemarksAsync(name)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_host_reports_reaches_all_services_but_the_one_that_hangs_over_it()
    {
        const string Name = "hangs in core change";
        await using var host = await AttachAsync(_daemon, Greeting(Name));
        await host.SayAsync(new() { CoreState = new() { Core = 1, Change = CoreChange.Started } });
        // Its stream ends, since what it says there is not heard any longer; it is to attach again.
        var goodbye = (await host.HearAsync()).Goodbye;
        Assert.Equal(("A service has not come back from what this host reported: attach again.", false), (goodbye.Reason, goodbye.TakenOver));
        Assert.False(await host.Attach.ResponseStream.MoveNext().Soon());
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(0ul, (await vcpu.ForwardAsync(Call(AffinityInfo, 1, x1: 1))).Values.X0); // ON
        var hello = Greeting(Name);
        hello.Token = host.Welcome.Token;
        hello.Cores[1].Power = CorePower.On;
        await using var again = await AttachAsync(_daemon, hello);
        using var other = await again.OpenAsync(1);
        Assert.Equal(0x1_0003ul, (await other.ForwardAsync(Call(PsciVersion, 1))).Values.X0);
    }

    [Fact]
    public async Task A_reset_that_a_service_hangs_over_is_one_for_all_others()
    {
        const string Name = "hangs in reset";
        await using var host = await AttachAsync(_daemon, Greeting(Name));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(CpuOn, 1, null, 1, 0x4008_0000));
        await host.SayAsync(new() { Reset = new() { Boot = 2, Kind = ResetKind.Cold, Cause = "a test" } });
        var call = Call(AffinityInfo, 2, x1: 1);
        call.Boot = 2;
        Assert.Equal(1ul, (await vcpu.ForwardAsync(call)).Values.X0); // OFF
    }

    [Fact]
    public async Task A_service_that_hangs_over_attention_holds_up_no_other()
    {
        const string Name = "hangs in attention";
        await using var host = await AttachAsync(_daemon, Greeting(Name));
        using var vcpu = await host.OpenAsync(0);
        using var other = await host.OpenAsync(1);
        await vcpu.SendAsync(new() { Exit = Call(Attend, 1, x1: 0) });
        await InServiceAsync(Name);
        Assert.Equal(0x1_0003ul, (await other.ForwardAsync(Call(PsciVersion, 1))).Values.X0);
    }

    [Fact]
    public async Task The_library_attaches_again_by_itself_where_a_service_hangs_over_a_report()
    {
        await using var session = await MachineSession.AttachAsync(
            _daemon.Invoker, () => Greeting("hangs in core change, by library"), AllForwarded(), (_, _) => { }, new());
        Assert.Equal(1, session.Attachments);
        session.CoreStateChanged(1, CoreChange.Started, 0);
        using var vcpu = session.OpenVcpu(0);
        var answer = await Task.Run(() => vcpu.Forward(Call(AffinityInfo, 1, x1: 1))).Soon();
        Assert.False(answer!.NotServed);
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        while (session.Attachments < 2)
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60));
            await Task.Delay(10);
        }
    }

    [Fact]
    public async Task A_host_that_does_not_read_is_let_go_before_it_costs_memory_and_told_all_when_it_is_back()
    {
        await using var host = await AttachAsync(_daemon, Greeting("deaf"));
        using var vcpu = await host.OpenAsync(0);
        using var other = await host.OpenAsync(1);
        await other.ForwardAsync(Call(0xC300_0008, 1, null, 0x4100_0000)); // HANDLER
        ulong exit = 1;
        ulong attention = 1;
        while (!_daemon.Log.Any(line => line.Text.Contains("does not read what it is told", StringComparison.Ordinal)))
        {
            Assert.True(exit < 100_000);
            // Wanted, attended, and back in the guest's code: two messages for the host.
            await vcpu.ForwardAsync(Call(Attend, exit, exit == 1 ? null : Applied(exit - 1), 1));
            await other.ForwardAsync(new() { ExitId = attention + 1, Boot = 1, Previous = Applied(attention), Attention = new() { Reason = AttentionReason.Requested, Registers = Registers() } });
            await other.ForwardAsync(Call(0xC300_0005, attention + 2, Applied(attention + 1))); // COMPLETE
            exit++;
            attention += 2;
        }

        var hello = Greeting("deaf");
        hello.Token = host.Welcome.Token;
        hello.Cores[1].Power = CorePower.On;
        await using var again = await AttachAsync(_daemon, hello);
        using var caller = await again.OpenAsync(0);
        await caller.ForwardAsync(Call(Attend, exit, Applied(exit - 1), 1));
        Assert.Equal(new Attention { Core = 1, Wanted = true }, (await again.HearAsync()).Attention);
    }

    [Fact]
    public async Task Calls_by_a_conduit_that_the_host_did_not_declare_are_refused()
    {
        var hello = Greeting("smc alone");
        hello.Conduits.Remove(Conduit.Hvc);
        await using var host = await AttachAsync(_daemon, hello);
        using var vcpu = await host.OpenAsync(0);
        var call = Call(PsciVersion, 1);
        call.Hypercall.Conduit = Conduit.Hvc;
        await vcpu.SendAsync(new() { Exit = call });
        Assert.Equal(
            new Status(StatusCode.FailedPrecondition, "exit.hypercall.conduit: the host of smc alone did not say in its Hello that calls come by HVC."),
            await vcpu.RefusedAsync());
    }

    private static RegisterFile Registers() => new() { X = { Enumerable.Range(0, 31).Select(n => (ulong)n) }, Pc = 0x4200_0000, Pstate = 0x5 };

    /// <summary>Waits until the machine is in a service's code, as operators see it: its state cannot be had.</summary>
    internal static async Task InServiceAsync(TestDaemon daemon, string machine)
    {
        var registry = (Hypercalls.Daemon.Machines.MachineRegistry)daemon.Services.GetService(typeof(Hypercalls.Daemon.Machines.MachineRegistry))!;
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        while (registry.All.SingleOrDefault(one => one.Name == machine) is not { IsInService: true })
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30), $"{machine} does not enter a service.");
            await Task.Delay(1);
        }
    }

    private Task InServiceAsync(string machine) => InServiceAsync(_daemon, machine);

    private async Task<IEnumerable<string>> RemarksAsync(string machine) =>
        (await _daemon.Operator.ListMachinesAsync(new())).Machines.Single(one => one.Name == machine).Remarks;

    /// <summary>Half of the daemon's deadline is what a service may take while others wait.</summary>
    public sealed class ShortDeadlines : IAsyncLifetime
    {
        internal TestDaemon Daemon { get; } = new(options => (options.DeadlineMs, options.HostDeadlineMs) = (2000, 10_000));

        public Task InitializeAsync() => Daemon.InitializeAsync();

        public Task DisposeAsync() => Daemon.DisposeAsync();
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using Hypercalls.Client;
using Hypercalls.Grpc;
using Hypercalls.Protos;
using Hypercalls.Tests.Daemon;
using static Hypercalls.Tests.Daemon.Wire.Host;
using HelloMessage = Hypercalls.Protos.Hello;

namespace Hypercalls.Tests.Client.Library;

/// <summary>What a session does when its daemon is killed, hangs or gives the machine to another: with real daemons in processes of their own.</summary>
public sealed class MachineSessionTests : IDisposable
{
    private const ulong PsciVersion = 0x8400_0000;
    private const ulong CpuOff = 0x8400_0002;
    private const ulong CpuOn = 0xC400_0003;
    private const ulong AffinityInfo = 0xC400_0004;

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly string _plugins;
    private readonly HttpChannel _channel;
    private readonly ConcurrentQueue<string> _said = [];
    private readonly HelloMessage _machine = Greeting("session");

    public MachineSessionTests()
    {
        _plugins = TestDaemon.PluginFolder(_folder, "psci", "smccc", "trials");
        _channel = HttpChannel.ForAddress(GrpcAddress.Unix(Socket));
    }

    private string Socket => Path.Combine(_folder, "s");

    public void Dispose()
    {
        _channel.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_new_daemon_gets_the_machine_back_with_its_cores_as_the_host_says()
    {
        using var first = await KillableDaemon.ListeningAsync(Socket, _plugins);
        await using var session = await AttachAsync(new() { Log = _said.Enqueue });
        using var vcpu = session.OpenVcpu(0);
        Assert.Equal(0ul, vcpu.Forward(Call(CpuOn, 1, null, 1, 0x4008_0000))?.Values.X0);
        _machine.Cores[1].Power = CorePower.On;
        session.CoreStateChanged(1, CoreChange.Started, 1);
        await first.KillAsync();

        using var second = KillableDaemon.Start(Socket, _plugins);
        await AttachedAsync(session, 2);
        // The second daemon heard of core 1 by the Hello alone.
        Assert.Equal(unchecked((ulong)-4), vcpu.Forward(Call(CpuOn, 2, Applied(1), 1, 0x4008_0000))?.Values.X0); // ALREADY_ON
        var machine = Assert.Single((await new Operator.OperatorClient(_channel.CreateCallInvoker()).ListMachinesAsync(new())).Machines);
        Assert.Equal(
            ("session", true, "Its host brings the token of a daemon that is gone, and with it went what services knew: the cores' power is as the host says, all else begins anew."),
            (machine.Name, machine.Attached, Assert.Single(machine.Remarks)));
        Assert.Contains(machine.Remarks[0], second.Log, StringComparison.Ordinal);
        Assert.Contains(_said, line => line.StartsWith("The connection to the daemon is lost: ", StringComparison.Ordinal));
        Assert.Contains(_said, line => line.EndsWith(": a new daemon; the cores' power is as this host says, all else its services knew begins anew.", StringComparison.Ordinal));
        Assert.Equal(0, vcpu.Fallbacks);
    }

    [Fact]
    public async Task While_no_daemon_is_there_each_kind_of_exit_gets_what_the_rules_say()
    {
        using var daemon = await KillableDaemon.ListeningAsync(Socket, _plugins, hostDeadline: 400);
        await using var session = await AttachAsync(new()
        {
            NoReturnRetries = 2,
            Functions = [new(0xC400_000E, 0xC400_000E, FallbackPolicy.Stop), new(0x8400_0000, 0x8400_001F, FallbackPolicy.NotSupported, Conduit.Hvc)],
        });
        using var vcpu = session.OpenVcpu(0);
        Assert.NotNull(vcpu.Forward(Call(PsciVersion, 1)));
        await daemon.KillAsync();

        Assert.Null(vcpu.Forward(Call(PsciVersion, 2, Applied(1))));
        Assert.Equal(1, vcpu.Fallbacks);
        // It does not return, and nothing else is said of it: two more attempts, each with the whole deadline, then the end.
        var started = Stopwatch.GetTimestamp();
        var off = Assert.Throws<MachineStopsException>(() => vcpu.Forward(Call(CpuOff, 3, FellBack(2))));
        Assert.Matches("^The call 0x84000002 of core 0x0 got no answer in 3 attempts, and it must not return: ", off.Message);
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(1200));
        Assert.Equal(2, vcpu.Retries);
        // By HVC a rule of its own holds before that.
        var hvc = Call(CpuOff, 4, FellBack(2));
        hvc.Hypercall.Conduit = Conduit.Hvc;
        Assert.Null(vcpu.Forward(hvc));
        Assert.StartsWith("The call 0xC400000E of core 0x0 got no answer: ", Assert.Throws<MachineStopsException>(() => vcpu.Forward(Call(0xC400_000E, 5, FellBack(4)))).Message, StringComparison.Ordinal);
        // The guest goes on unchanged, or not at all.
        Assert.Null(vcpu.Forward(new() { ExitId = 6, Boot = 1, Previous = FellBack(5), Attention = new() { Reason = AttentionReason.Requested, Registers = new() } }));
        Assert.Null(vcpu.Forward(new() { ExitId = 7, Boot = 1, Previous = FellBack(6), Wake = new() { Cause = WakeCause.Interrupt } }));
        Assert.StartsWith(
            "The Debug exit of core 0x0 got no answer: ",
            Assert.Throws<MachineStopsException>(() => vcpu.Forward(new() { ExitId = 8, Boot = 1, Previous = FellBack(7), Debug = new() })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_waits_is_answered_by_the_daemon_that_comes()
    {
        using var first = await KillableDaemon.ListeningAsync(Socket, _plugins, hostDeadline: 400);
        await using var session = await AttachAsync(new() { Fallback = FallbackPolicy.Wait, Log = _said.Enqueue });
        using var vcpu = session.OpenVcpu(0);
        Assert.NotNull(vcpu.Forward(Call(PsciVersion, 1)));
        await first.KillAsync();
        var waiting = Task.Run(() => vcpu.Forward(Call(PsciVersion, 2, Applied(1))));
        await Task.Delay(1000);
        Assert.False(waiting.IsCompleted);
        using var second = KillableDaemon.Start(Socket, _plugins, hostDeadline: 400);
        Assert.Equal(0x1_0003ul, (await waiting.Soon())?.Values.X0);
        Assert.Equal(0, vcpu.Fallbacks);
        Assert.Single(_said, line => line.StartsWith("The call 0x84000000 of core 0x0 waits for an answer: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_waits_ends_with_its_session()
    {
        using var daemon = await KillableDaemon.ListeningAsync(Socket, _plugins, hostDeadline: 400);
        var session = await AttachAsync(new() { Fallback = FallbackPolicy.Wait });
        using var vcpu = session.OpenVcpu(0);
        Assert.NotNull(vcpu.Forward(Call(PsciVersion, 1)));
        await daemon.KillAsync();
        var waiting = Task.Run(() => vcpu.Forward(Call(PsciVersion, 2, Applied(1))));
        await Task.Delay(500);
        await session.DisposeAsync().AsTask().Soon();
        Assert.Null(await waiting.Soon());
    }

    [Fact]
    public async Task A_CPU_ON_whose_answer_never_arrived_leaves_its_target_off_and_callable_by_others()
    {
        using var daemon = await KillableDaemon.ListeningAsync(Socket, _plugins);
        _machine.Cores.Add(new Core { Mpidr = 2, Power = CorePower.On });
        await using var session = await AttachAsync(new());
        using var caller = session.OpenVcpu(0);
        using var other = session.OpenVcpu(2);
        var lost = Call(CpuOn, 1, null, 1, 0x4008_0000);
        Assert.Equal(0ul, caller.Forward(lost)?.Values.X0);
        Assert.Equal(2ul, other.Forward(Call(AffinityInfo, 1, null, 1))?.Values.X0); // ON_PENDING
        // The host could not apply that answer; its caller makes no further exit.
        caller.GaveUp(lost);
        ulong exit = 2;
        while (other.Forward(Call(AffinityInfo, exit, Applied(exit - 1), 1))?.Values.X0 != 1)
        {
            Assert.True(++exit < 100_000);
        }

        Assert.Equal(0ul, other.Forward(Call(CpuOn, exit + 1, Applied(exit), 1, 0x4008_0000))?.Values.X0);
        // What the caller says of it later changes nothing any more.
        Assert.Equal(0x1_0003ul, caller.Forward(Call(PsciVersion, 2, FellBack(1)))?.Values.X0);
        Assert.Equal(2ul, other.Forward(Call(AffinityInfo, exit + 2, Applied(exit + 1), 1))?.Values.X0);
        var machine = Assert.Single((await new Operator.OperatorClient(_channel.CreateCallInvoker()).ListMachinesAsync(new())).Machines);
        Assert.Equal(1ul, machine.Fallbacks);
    }

    [Fact]
    public async Task A_host_whose_machine_was_taken_over_does_not_take_it_back()
    {
        using var daemon = await KillableDaemon.ListeningAsync(Socket, _plugins);
        await using var first = await AttachAsync(new());
        var hello = Greeting("session");
        hello.Token = first.Welcome.Token;
        await using var second = await MachineSession.AttachAsync(_channel.CreateCallInvoker(), () => hello, AllForwarded(), (_, _) => { }, new());
        Assert.Equal("Another host process has taken this machine over.", await first.Ended.Soon());
        Assert.Equal((1, 1, false), (first.Attachments, second.Attachments, second.Ended.IsCompleted));
    }

    [Fact]
    public async Task A_daemon_that_refuses_the_machine_ends_the_session_with_its_sentence()
    {
        using var first = await KillableDaemon.ListeningAsync(Socket, _plugins);
        await using var session = await AttachAsync(new());
        await first.KillAsync();
        // Somebody else has the name meanwhile.
        using var second = await KillableDaemon.ListeningAsync(Socket, TestDaemon.PluginFolder(Directory.CreateDirectory(Path.Combine(_folder, "more")).FullName, "psci"));
        _machine.Cores.Add(new Core { Mpidr = 0, Power = CorePower.On });
        Assert.StartsWith("The daemon does not take the machine back: hello.cores", await session.Ended.Soon(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_that_is_over_soon_does_not_end_the_session()
    {
        using var first = await KillableDaemon.ListeningAsync(Socket, _plugins);
        await using var session = await AttachAsync(new());
        await first.KillAsync();
        _machine.Cores[1].Mpidr = 0;
        using var second = KillableDaemon.Start(Socket, _plugins);
        while (!second.Log.Contains("Refused: hello.cores.mpidr", StringComparison.Ordinal))
        {
            Assert.False(session.Ended.IsCompleted);
            await Task.Delay(1);
        }

        _machine.Cores[1].Mpidr = 1;
        await AttachedAsync(session, 2);
    }

    private Task<MachineSession> AttachAsync(HostRules rules) =>
        MachineSession.AttachAsync(_channel.CreateCallInvoker(), () => _machine.Clone(), AllForwarded(), (_, _) => { }, rules);

    private static async Task AttachedAsync(MachineSession session, int times)
    {
        var started = Stopwatch.GetTimestamp();
        while (session.Attachments < times)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), "The session does not attach again.");
            await Task.Delay(5);
        }
    }
}

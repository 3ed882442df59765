using Grpc.Core;
using Hypercalls.Protos;
using HelloMessage = Hypercalls.Protos.Hello;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>A vCPU host of the tests: speaks the wire by hand, so that it can break its rules.</summary>
internal sealed class Host : IAsyncDisposable
{
    private readonly global::Hypercalls.Protos.Hypercalls.HypercallsClient _daemon;

    private Host(global::Hypercalls.Protos.Hypercalls.HypercallsClient daemon, AsyncDuplexStreamingCall<HostMessage, DaemonMessage> attach)
    {
        _daemon = daemon;
        Attach = attach;
    }

    public AsyncDuplexStreamingCall<HostMessage, DaemonMessage> Attach { get; }

    public Welcome Welcome { get; private set; } = new();

    /// <summary>What the daemon said when it accepted the Ready.</summary>
    public RangesChanged Accepted { get; private set; } = new();

    public static HelloMessage Greeting(string name, int cores = 2) => new()
    {
        ProtocolMajor = 1,
        Machine = name,
        Boot = 1,
        ClientEl = 1,
        Host = "a test",
        Ram = { new MemoryRange { Base = 0x4000_0000, Size = 0x1000_0000 } },
        Cores = { Enumerable.Range(0, cores).Select(n => new Core { Mpidr = (ulong)n, Power = n == 0 ? CorePower.On : CorePower.Off }) },
        Conduits = { Conduit.Smc, Conduit.Hvc },
    };

    public static Ready AllForwarded() => Hypercalls.Client.KernelShare.None("nothing below");

    /// <summary>Hello, Welcome, Ready, and the daemon's acceptance.</summary>
    public static Task<Host> AttachAsync(TestDaemon daemon, HelloMessage hello, Ready? ready = null) => AttachAsync(daemon.Invoker, hello, ready);

    /// <summary>Hello, Welcome, Ready, and the daemon's acceptance.</summary>
    public static async Task<Host> AttachAsync(CallInvoker daemon, HelloMessage hello, Ready? ready = null)
    {
        var host = await GreetAsync(daemon, hello, ready ?? AllForwarded());
        host.Accepted = (await host.HearAsync()).RangesChanged;
        return host;
    }

    /// <summary>Hello, Welcome, Ready: whether it is accepted is the test's to find out.</summary>
    public static Task<Host> GreetAsync(TestDaemon daemon, HelloMessage hello, Ready ready) => GreetAsync(daemon.Invoker, hello, ready);

    private static async Task<Host> GreetAsync(CallInvoker daemon, HelloMessage hello, Ready ready)
    {
        var client = new global::Hypercalls.Protos.Hypercalls.HypercallsClient(daemon);
        var host = new Host(client, client.Attach());
        await host.Attach.RequestStream.TryWriteAsync(new() { Hello = hello });
        Assert.True(await host.Attach.ResponseStream.MoveNext().Soon());
        host.Welcome = host.Attach.ResponseStream.Current.Welcome;
        await host.Attach.RequestStream.TryWriteAsync(new() { Ready = ready });
        return host;
    }

    public static Exit Call(ulong id, ulong exitId, Previous? previous = null, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0) => new()
    {
        ExitId = exitId,
        Boot = 1,
        Previous = previous,
        Hypercall = new() { Conduit = Conduit.Smc, Imm = 0, X0 = id, X1 = x1, X2 = x2, X3 = x3, Pstate = 0x3C5 },
    };

    public static Previous Applied(ulong exitId) => new() { ExitId = exitId, Outcome = Outcome.Applied };

    public static Previous FellBack(ulong exitId, ulong? lastApplied = null) =>
        new() { ExitId = exitId, Outcome = Outcome.FellBack, LastApplied = lastApplied ?? exitId - 1 };

    public async Task<Vcpu> OpenAsync(ulong mpidr)
    {
        var stream = _daemon.RunVcpu();
        await stream.RequestStream.TryWriteAsync(new() { Open = new() { Token = Welcome.Token, Mpidr = mpidr } });
        return new(stream);
    }

    public Task SayAsync(HostMessage message) => Attach.RequestStream.WriteAsync(message);

    /// <summary>The next message on the Attach stream.</summary>
    public async Task<DaemonMessage> HearAsync()
    {
        Assert.True(await Attach.ResponseStream.MoveNext().Soon());
        return Attach.ResponseStream.Current;
    }

    public async ValueTask DisposeAsync()
    {
        Attach.Dispose();
        await Task.CompletedTask;
    }

    /// <summary>One vCPU's stream.</summary>
    internal sealed class Vcpu(AsyncDuplexStreamingCall<VcpuMessage, DaemonToVcpu> stream) : IDisposable
    {
        public async Task<Answer> ForwardAsync(Exit exit)
        {
            await stream.RequestStream.WriteAsync(new() { Exit = exit });
            return await AnswerAsync();
        }

        public Task SendAsync(VcpuMessage message) => stream.RequestStream.TryWriteAsync(message);

        public async Task<Answer> AnswerAsync() => (await NextAsync()).Answer;

        /// <summary>An answer, or what a function needs before it answers.</summary>
        public async Task<DaemonToVcpu> NextAsync()
        {
            Assert.True(await stream.ResponseStream.MoveNext().Soon());
            return stream.ResponseStream.Current;
        }

        /// <summary>The status with which the daemon ends the stream.</summary>
        public async Task<Status> RefusedAsync() =>
            (await Assert.ThrowsAsync<RpcException>(() => stream.ResponseStream.MoveNext().Soon())).Status;

        public void Dispose() => stream.Dispose();
    }
}

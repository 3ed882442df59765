using System.Diagnostics;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Hypercalls.Client;
using Hypercalls.Grpc;
using Hypercalls.Protos;
using Hypercalls.Tests.Faults;
using Hypercalls.Tests.Psci;
using Xunit.Abstractions;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>A daemon in a process of its own against whatever arrives on its socket, while a machine beside it is served: that one notices nothing.</summary>
[Collection(Fuzzing.Collection)]
public sealed partial class DaemonFuzzTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Batch = 50;
    private const long MostGrowth = 400L << 20;
    private const ulong PsciVersion = 0x8400_0000;
    private const ulong AffinityInfo = 0xC400_0004;

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly List<string> _batch = [];
    private KillableDaemon _daemon = null!;
    private HttpChannel _channel = null!;
    private MachineSession _control = null!;
    private Task _calling = Task.CompletedTask;
    private string _state = "";
    private long _workingSet;
    private int _linesSeen;
    private long _calls;
    private string? _wrong;
    private volatile bool _isOver;

    private string Socket => Path.Combine(_folder, "s");

    public async Task InitializeAsync()
    {
        _daemon = await KillableDaemon.ListeningAsync(Socket, TestDaemon.PluginFolder(_folder, "psci", "smccc", "hello", "sdei"), hostDeadline: 40_000, keepLost: 1);
        _channel = HttpChannel.ForAddress(GrpcAddress.Unix(Socket));
        var hello = Greeting("control");
        _control = await MachineSession.AttachAsync(_channel.CreateCallInvoker(), hello, AllForwarded(), (_, _) => { });
        _calling = Task.Factory.StartNew(CallOn, TaskCreationOptions.LongRunning);
        _state = await StateAsync();
        _workingSet = _daemon.WorkingSet;
    }

    public async Task DisposeAsync()
    {
        _isOver = true;
        await _calling.Soon();
        await _control.DisposeAsync();
        _channel.Dispose();
        _daemon.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Bytes_that_are_no_HTTP_or_almost()
    {
        var fuzzing = Fuzzing.Begin(output, 12);
        foreach (var (input, why) in Corpus.Of("daemon-connections"))
        {
            await SendAsync(new(1), input, why);
        }

        await CheckAsync("Corpus");
        var dice = new Dice(fuzzing.Seed);
        var recorded = await RecordAsync();
        var preface = recorded[..Http2Bytes.Preface.Length];
        var frames = Mutations.Frames(recorded.AsSpan(preface.Length));
        Assert.True(frames.Count > 10);
        var connections = 0;
        for (; fuzzing.GoesOn; connections++)
        {
            byte[] bytes = dice.Below(10) switch
            {
                0 => Mutations.Random(dice, dice.Below(dice.OneIn(10) ? 70_000 : 200)),
                1 => [.. preface, .. Mutations.Random(dice, dice.Below(500))],
                2 or 3 => Mutations.Mutate(dice, recorded),
                _ => [.. preface, .. Mutations.MutateFrames(dice, frames)],
            };
            await SendAsync(dice, bytes, $"Seed {fuzzing.Seed}, connection {connections}");
        }

        await CheckAsync($"Seed {fuzzing.Seed}");
        output.WriteLine($"{connections} connections, {_calls} calls of the control machine");
    }

    [Fact]
    public async Task Requests_whose_frames_and_messages_are_almost_right()
    {
        var fuzzing = Fuzzing.Begin(output, 10);
        var methods = Methods();
        foreach (var (input, why) in Corpus.Of("daemon-requests"))
        {
            foreach (var method in methods)
            {
                await SendAsync(new(1), [.. Http2Bytes.Hello, .. Http2Bytes.Request(1, method.Path, input)], $"{why}, to {method.Path}");
            }
        }

        await CheckAsync("Corpus");
        var dice = new Dice(fuzzing.Seed);
        var messages = new RandomMessages(dice);
        var requests = 0;
        for (var connections = 0; fuzzing.GoesOn; connections++)
        {
            List<byte> bytes = [.. Http2Bytes.Hello];
            for (var stream = 0; stream < 1 + dice.Below(8); stream++, requests++)
            {
                var method = dice.OneOf<(string Path, MessageDescriptor Input)>([.. methods]);
                List<byte> body = [];
                for (var count = 1 + dice.Below(4); count > 0; count--)
                {
                    var message = Message(dice, messages, method.Input).ToByteArray();
                    body.AddRange(Mutations.GrpcFrame(dice, dice.OneIn(3) ? Mutations.Mutate(dice, message) : message));
                }

                bytes.AddRange(Http2Bytes.Request((stream * 2) + 1, method.Path, [.. body]));
            }

            await SendAsync(dice, [.. bytes], $"Seed {fuzzing.Seed}, connection {connections}");
        }

        await CheckAsync($"Seed {fuzzing.Seed}");
        output.WriteLine($"{requests} requests, {_calls} calls of the control machine");
    }

    [Fact]
    public async Task Hosts_that_say_anything_at_any_time()
    {
        var fuzzing = Fuzzing.Begin(output, 10);
        var dice = new Dice(fuzzing.Seed);
        var messages = new RandomMessages(dice);
        var (hosts, accepted, exits, answers) = (0, 0, 0, 0);
        for (; fuzzing.GoesOn; hosts++)
        {
            var when = $"Seed {fuzzing.Seed}, host {hosts}";
            using var channel = HttpChannel.ForAddress(GrpcAddress.Unix(Socket));
            var client = new global::Hypercalls.Protos.Hypercalls.HypercallsClient(channel);
            using var attach = client.Attach();
            var hello = Greeting($"fuzz{hosts}", 1 + dice.Below(4));
            try
            {
                await attach.RequestStream.WriteAsync(new() { Hello = dice.OneIn(2) ? messages.Mutate(hello) : hello }).Soon();
                Assert.True(await attach.ResponseStream.MoveNext().Soon(), when);
                var token = attach.ResponseStream.Current.Welcome.Token;
                await attach.RequestStream.WriteAsync(new() { Ready = dice.OneIn(3) ? messages.Mutate(AllForwarded()) : AllForwarded() }).Soon();
                Assert.True(await attach.ResponseStream.MoveNext().Soon(), when);
                accepted++;
                for (var streams = 1 + dice.Below(4); streams > 0; streams--)
                {
                    var (sent, heard) = await RunAsync(client, dice, messages, token);
                    (exits, answers) = (exits + sent, answers + heard);
                    await attach.RequestStream.WriteAsync(Report(dice, messages)).Soon();
                }
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException)
            {
                Assert.True(e is not RpcException { StatusCode: StatusCode.Unknown }, $"{when}: {e}");
            }

            _batch.Add(when);
            if (_batch.Count == Batch)
            {
                await CheckAsync(when);
            }
        }

        await CheckAsync($"Seed {fuzzing.Seed}");
        output.WriteLine($"{hosts} hosts, {accepted} accepted, {exits} exits, {answers} answers, {_calls} calls of the control machine");
        Assert.True(accepted > 0 && answers > 0);
    }

    /// <summary>A vCPU's stream: exits with any field changed, until the daemon refuses one.</summary>
    private static async Task<(int Sent, int Heard)> RunAsync(global::Hypercalls.Protos.Hypercalls.HypercallsClient client, Dice dice, RandomMessages messages, ByteString token)
    {
        var (sent, heard) = (0, 0);
        using var stream = client.RunVcpu();
        var open = new Open { Token = token, Mpidr = (ulong)dice.Below(4) };
        try
        {
            await stream.RequestStream.WriteAsync(new() { Open = dice.OneIn(8) ? messages.Mutate(open) : open }).Soon();
            for (ulong number = 1; number < 20; number++, sent++)
            {
                var previous = number == 1 ? null : dice.OneIn(3) ? FellBack(number - 1) : Applied(number - 1);
                var exit = Exit(dice, number, previous);
                exit = dice.OneIn(3) ? messages.Mutate(exit) : exit;
                // One of a boot to come waits for it as long as the deadline is.
                exit.Boot = exit.Boot > 1 ? 1 : exit.Boot;
                await stream.RequestStream.WriteAsync(new() { Exit = exit }).Soon();
                heard += await stream.ResponseStream.MoveNext().Soon() ? 1 : 0;
            }
        }
        catch (Exception e) when (e is RpcException { StatusCode: not StatusCode.Unknown } or InvalidOperationException)
        {
            // Refused with a sentence.
        }

        return (sent, heard);
    }

    private static Exit Exit(Dice dice, ulong number, Previous? previous)
    {
        var exit = Call(dice.OneOf(PsciVersion, 0x8400_0001ul, 0x8400_0002ul, 0xC400_0003ul, AffinityInfo, 0xC400_000Eul, 0x8400_000Aul, 0x8000_0000ul, 0xC200_0001ul), number, previous, (ulong)dice.Below(3), 0x4008_0000);
        switch (dice.Below(8))
        {
            case 0:
                exit.Attention = new() { Reason = AttentionReason.Requested, Registers = new() { X = { new ulong[31] } } };
                break;
            case 1:
                exit.Wake = new() { Cause = WakeCause.Interrupt };
                break;
            case 2:
                exit.Debug = new();
                break;
            case 3:
                exit.SystemEvent = new() { Type = 1, Count = 1, Data = { 1 } };
                break;
            case 4:
                exit.Failure = new() { Count = 1, Data = { 1 }, Instruction = ByteString.CopyFrom(1, 2) };
                break;
        }

        return exit;
    }

    private static HostMessage Report(Dice dice, RandomMessages messages)
    {
        HostMessage report = dice.Below(4) switch
        {
            0 => new() { CoreState = new() { Core = (ulong)dice.Below(3), Change = dice.OneOf(CoreChange.Started, CoreChange.Stopped, CoreChange.Woke, CoreChange.Refused) } },
            1 => new() { Reset = new() { Boot = 2, Kind = ResetKind.Cold, Cause = "fuzz" } },
            2 => new() { FellBack = new() { Core = 0, Boot = 1, ExitId = (ulong)dice.Below(30) } },
            _ => new() { Detach = new() },
        };
        return dice.OneIn(2) ? messages.Mutate(report) : report;
    }

    /// <summary>What a request of that type may hold: right, nearly right, or drawn whole.</summary>
    private static IMessage Message(Dice dice, RandomMessages messages, MessageDescriptor type)
    {
        IMessage[] right =
        [
            new HostMessage { Hello = Greeting("fuzz") }, new HostMessage { Ready = AllForwarded() }, Report(dice, messages),
            new VcpuMessage { Open = new() { Token = ByteString.CopyFrom(new byte[16]) } }, new VcpuMessage { Exit = Exit(dice, 1, null) },
            new CallRequest { Name = "CPU_ON", Arguments = { 1, 0x4008_0000 } }, new CallRequest { Id = 0x8400_0000, Machine = "fuzz", Apply = true },
            new RegisterQuery { Name = "CPU_ON" }, new RegisterQuery { Ranges = AllForwarded(), W0 = 0x8400_0000 },
            new RaiseRequest { Machine = "fuzz", Service = "PSCI" }, new RaiseRequest { Machine = "fuzz", Event = (ulong)dice.Below(5), Core = 0 }, new GetStateRequest { Machine = "fuzz", Service = "PSCI" }, new WatchRequest { Machine = "fuzz" },
        ];
        var fitting = right.Where(message => message.Descriptor == type).ToArray();
        return fitting.Length == 0 || dice.OneIn(3) ? messages.Of(type) : dice.OneIn(2) ? dice.OneOf<IMessage>(fitting) : messages.Mutate(dice.OneOf<IMessage>(fitting));
    }

    private static List<(string Path, MessageDescriptor Input)> Methods() =>
    [
        .. HypercallsReflection.Descriptor.Services
            .Concat(global::Grpc.Health.V1.HealthReflection.Descriptor.Services)
            .Concat(global::Grpc.Reflection.V1.ReflectionReflection.Descriptor.Services)
            .SelectMany(service => service.Methods)
            .Select(method => ($"/{method.Service.FullName}/{method.Name}", method.InputType)),
    ];

    /// <summary>What a host sends that does all a host does.</summary>
    private async Task<byte[]> RecordAsync()
    {
        await using var network = new FaultyNetwork(Socket, 1);
        using (var channel = HttpChannel.ForAddress(network.Address))
        {
            await using var session = await MachineSession.AttachAsync(channel.CreateCallInvoker(), Greeting("recorded"), AllForwarded(), (_, _) => { });
            using var vcpu = session.OpenVcpu(0);
            Assert.NotNull(vcpu.Forward(Call(PsciVersion, 1)));
            Assert.NotNull(vcpu.Forward(Call(0xC400_0003, 2, Applied(1), 1, 0x4008_0000)));
            session.CoreStateChanged(1, CoreChange.Started, 1);
            await new Operator.OperatorClient(channel.CreateCallInvoker()).ListMachinesAsync(new());
            await session.DetachAsync("recorded");
        }

        return network.Recorded().ByClient;
    }

    /// <summary>A connection with these bytes on it, some of them late, and closed in one of the ways there are.</summary>
    private async Task SendAsync(Dice dice, byte[] bytes, string when)
    {
        _batch.Add($"{when}: {Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 2000)))}");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket)).Soon();
        using var patience = new CancellationTokenSource(dice.OneOf(2, 10, 40));
        try
        {
            var torn = dice.OneIn(3) ? dice.Below(bytes.Length + 1) : bytes.Length;
            await socket.SendAsync(bytes.AsMemory(0, torn), patience.Token);
            await Task.Yield();
            await socket.SendAsync(bytes.AsMemory(torn), patience.Token);
            if (dice.OneIn(2))
            {
                socket.Shutdown(SocketShutdown.Send);
            }

            var answer = new byte[4096];
            while (!dice.OneIn(20) && await socket.ReceiveAsync(answer, patience.Token) > 0)
            {
                // What it says is its own affair.
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It may hang up on those.
        }

        if (_batch.Count >= Batch)
        {
            await CheckAsync(when);
        }
    }

    /// <summary>The daemon lives, serves the machine beside, has said nothing that it should not, and has not grown.</summary>
    private async Task CheckAsync(string when)
    {
        var before = Interlocked.Read(ref _calls);
        var began = Stopwatch.GetTimestamp();
        while (Interlocked.Read(ref _calls) < before + 2)
        {
            Assert.False(_daemon.HasExited, Report($"{when}: the daemon has ended: {_daemon.Log}"));
            Assert.True(_wrong is null && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60), Report($"{when}: the control machine is not served: {_wrong}"));
            await Task.Delay(1);
        }

        Assert.Equal(_state, await StateAsync());
        var lines = _daemon.Lines;
        var faults = lines.Skip(_linesSeen).Where(line => Fault().IsMatch(line) && !HostsReport().IsMatch(line)).ToList();
        Assert.True(faults.Count == 0, Report($"{when}: the daemon says\n{string.Join('\n', faults)}"));
        _linesSeen = lines.Count;
        var growth = _daemon.WorkingSet - _workingSet;
        Assert.True(growth < MostGrowth, Report($"{when}: the daemon has grown by {growth >> 20} MiB"));
        _batch.Clear();
    }

    private string Report(string fault) => $"{fault}\nThe inputs before, the last one last:\n{string.Join('\n', _batch)}";

    private async Task<string> StateAsync()
    {
        var client = new Operator.OperatorClient(_channel.CreateCallInvoker());
        var state = (await client.GetStateAsync(new() { Machine = "control", Service = "PSCI" }).ResponseAsync.Soon()).Json;
        var machine = (await client.ListMachinesAsync(new()).ResponseAsync.Soon()).Machines.Single(machine => machine.Name == "control");
        return $"{state}, attached: {machine.Attached}, boot {machine.Boot}, cores {machine.Cores}, fallbacks {machine.Fallbacks}, failures {machine.Failures}";
    }

    private void CallOn()
    {
        using var vcpu = _control.OpenVcpu(0);
        for (ulong number = 1; !_isOver; number++)
        {
            var call = number % 2 == 0 ? Call(PsciVersion, number, Applied(number - 1)) : Call(AffinityInfo, number, number == 1 ? null : Applied(number - 1), 1);
            var x0 = vcpu.Forward(call)?.Values.X0;
            if (x0 != (number % 2 == 0 ? 0x1_0003ul : 1ul))
            {
                _wrong = $"call {number} is {x0}: {vcpu.LastFault}";
                return;
            }

            Interlocked.Increment(ref _calls);
            Thread.Sleep(1);
        }
    }

    [GeneratedRegex(@"(^| )(fail|crit): |Unhandled exception")]
    private static partial Regex Fault();

    /// <summary>A guest that stops with a debug, system event or failure exit is news to an operator.</summary>
    [GeneratedRegex(@"Core \d+: (debug exit|system event|failure exit)")]
    private static partial Regex HostsReport();
}

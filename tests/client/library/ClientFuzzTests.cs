using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Client;
using Hypercalls.Grpc;
using Hypercalls.Protos;
using Hypercalls.Tests.Daemon;
using Hypercalls.Tests.Faults;
using Hypercalls.Tests.Psci;
using Xunit.Abstractions;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Client.Library;

/// <summary>A host against daemons that say anything: it is refused or attached, every exit ends with an answer, a fallback or the rule that stops the machine, and the session closes when it is told to.</summary>
[Collection(Fuzzing.Collection)]
public sealed class ClientFuzzTests(ITestOutputHelper output)
{
    private const int AtOnce = 8;
    private const ulong PsciVersion = 0x8400_0000;
    private const ulong CpuOff = 0x8400_0002;

    private readonly ConcurrentDictionary<string, int> _ends = [];

    [Fact]
    public async Task Bytes_that_are_no_HTTP_or_almost()
    {
        var fuzzing = Fuzzing.Begin(output, 10);
        var dice = new Dice(fuzzing.Seed);
        await using var server = new RawServer();
        foreach (var (input, why) in Corpus.Of("client-connections"))
        {
            server.Says = () => [input];
            await UseAsync(GrpcAddress.Unix(server.Path), new(1), why);
        }

        var frames = Mutations.Frames(await RecordAsync());
        Assert.True(frames.Count > 5);
        server.Says = () =>
        {
            lock (dice)
            {
                // What stays right leads the host further.
                var right = dice.OneIn(4) ? 0 : dice.Below(frames.Count);
                var rest = frames[right..];
                return [.. frames[..right], dice.Below(8) switch
                {
                    0 => Mutations.Random(dice, dice.Below(dice.OneIn(10) ? 70_000 : 300)),
                    1 => Mutations.Mutate(dice, [.. rest.SelectMany(frame => frame)]),
                    _ => Mutations.MutateFrames(dice, rest),
                }];
            }
        };
        var sessions = 0;
        for (; fuzzing.GoesOn; sessions += AtOnce)
        {
            await UseAsync(GrpcAddress.Unix(server.Path), fuzzing.Seed, sessions);
        }

        output.WriteLine($"{sessions} sessions: {Ends}");
    }

    [Fact]
    public async Task Messages_that_no_daemon_sends()
    {
        var fuzzing = Fuzzing.Begin(output, 10);
        var daemon = new FuzzingDaemon(fuzzing.Seed);
        await using var server = await CourierServer.StartAsync(daemon);
        foreach (var (input, why) in Corpus.Of("client-messages"))
        {
            daemon.Welcome = DaemonMessage.Parser.ParseFrom(input);
            await UseAsync(server.Address, new(1), why);
        }

        daemon.Welcome = null;
        var sessions = 0;
        for (; fuzzing.GoesOn; sessions += AtOnce)
        {
            await UseAsync(server.Address, fuzzing.Seed, sessions);
        }

        output.WriteLine($"{sessions} sessions: {Ends}");
        Assert.True(_ends.GetValueOrDefault("answered") > 0);
    }

    /// <summary>Most of them wait most of the time.</summary>
    private Task UseAsync(GrpcAddress address, ulong seed, int first) => Task.WhenAll(
        Enumerable.Range(first, AtOnce).Select(session => Task.Run(() => UseAsync(address, new(seed + (ulong)session), $"Seed {seed}, session {session}"))));

    private string Ends => string.Join(", ", _ends.OrderBy(end => end.Key).Select(end => $"{end.Value} {end.Key}"));

    /// <summary>One session from its attempt to attach to its end, which may not throw or hang, whatever it is told.</summary>
    private async Task UseAsync(GrpcAddress address, Dice dice, string when)
    {
        using var channel = HttpChannel.ForAddress(address);
        using var patience = new CancellationTokenSource(300);
        var rules = new HostRules { Reconnects = dice.OneIn(2), NoReturnRetries = 1, Fallback = dice.OneOf(FallbackPolicy.NotSupported, FallbackPolicy.Wait, FallbackPolicy.Stop) };
        MachineSession session;
        try
        {
            session = await MachineSession.AttachAsync(channel.CreateCallInvoker(), () => Greeting("host"), AllForwarded(), (_, _) => { }, rules, patience.Token).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            Count(e is RpcException refused ? $"refused with {refused.StatusCode}" : "given up");
            return;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{when}: {e.Message}", e);
        }

        try
        {
            using var vcpu = session.OpenVcpu(0);
            for (ulong number = 1; number <= 4; number++)
            {
                Exit exit = Call(number == 3 ? CpuOff : PsciVersion, number, number == 1 ? null : Applied(number - 1));
                exit = number == 4 ? new() { ExitId = 4, Boot = 1, Previous = Applied(3), Attention = new() } : exit;
                await ForwardAsync(session, vcpu, exit, when);
                session.CoreStateChanged(1, CoreChange.Started, 1);
            }
        }
        finally
        {
            await session.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        }

        Assert.True(session.Ended.IsCompletedSuccessfully, $"{when}: {session.Ended.Exception}");
        Count("sessions that ended in order");
    }

    private async Task ForwardAsync(MachineSession session, VcpuSession vcpu, Exit exit, string when)
    {
        var began = Stopwatch.GetTimestamp();
        var forwarding = Task.Run(() => vcpu.Forward(exit));
        var isShort = session.HostDeadline < TimeSpan.FromSeconds(1) && session.Rules.Fallback != FallbackPolicy.Wait;
        if (!isShort && await Task.WhenAny(forwarding, Task.Delay(100)) != forwarding)
        {
            // It may wait for hours by what it was told; told to close it comes back.
            vcpu.Close();
        }

        try
        {
            var answer = await forwarding.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.True(answer is null || (answer.ExitId == exit.ExitId && answer.Boot == exit.Boot), $"{when}: exit {exit.ExitId} got the answer of {answer?.ExitId}");
            Count(answer is null ? "fell back" : "answered");
        }
        catch (MachineStopsException)
        {
            Count("stopped by its rules");
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{when}, exit {exit.ExitId} after {Stopwatch.GetElapsedTime(began)}, deadline {session.HostDeadline}: {e.Message}", e);
        }
    }

    private void Count(string end) => _ends.AddOrUpdate(end, 1, (_, count) => count + 1);

    /// <summary>What a daemon sends to a host that does all a host does.</summary>
    private static async Task<byte[]> RecordAsync()
    {
        await using var daemon = new TestDaemonLease();
        await daemon.Daemon.InitializeAsync();
        await using var network = new FaultyNetwork(daemon.Daemon.Socket, 1);
        using (var channel = HttpChannel.ForAddress(network.Address))
        {
            await using var session = await MachineSession.AttachAsync(channel.CreateCallInvoker(), Greeting("recorded"), AllForwarded(), (_, _) => { });
            using var vcpu = session.OpenVcpu(0);
            Assert.NotNull(vcpu.Forward(Call(PsciVersion, 1)));
            Assert.NotNull(vcpu.Forward(Call(0xC400_0003, 2, Applied(1), 1, 0x4008_0000)));
            await session.DetachAsync("recorded");
        }

        return network.Recorded().ByServer;
    }

    private sealed class TestDaemonLease : IAsyncDisposable
    {
        public TestDaemon Daemon { get; } = new(options => (options.DeadlineMs, options.HostDeadlineMs) = (100, 200));

        public async ValueTask DisposeAsync() => await Daemon.DisposeAsync();
    }

    /// <summary>Takes connections and says something on each, whatever it hears.</summary>
    private sealed class RawServer : IAsyncDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hypercalls-tests-");
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly Task _accepting;

        public RawServer()
        {
            Path = System.IO.Path.Combine(_folder.FullName, "s");
            _listener.Bind(new UnixDomainSocketEndPoint(Path));
            _listener.Listen();
            _accepting = AcceptAsync();
        }

        public string Path { get; }

        /// <summary>Frame by frame; what answers a new stream is said when the host has opened it.</summary>
        public Func<List<byte[]>> Says { get; set; } = () => [];

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _accepting;
            _folder.Delete(recursive: true);
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    _ = SayAsync(await _listener.AcceptAsync());
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task SayAsync(Socket client)
        {
            using var _ = client;
            try
            {
                var heard = new byte[1 << 16];
                await client.ReceiveAsync(heard);
                var known = 1;
                foreach (var frame in Says())
                {
                    var stream = frame.Length < 9 ? 0 : BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(5));
                    for (var wait = 0; stream > known && wait < 3; wait++)
                    {
                        using var soon = new CancellationTokenSource(30);
                        await ((Task)client.ReceiveAsync(heard, soon.Token).AsTask()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                    }

                    known = Math.Max(known, stream);
                    await client.SendAsync(frame);
                }

                using var patience = new CancellationTokenSource(50);
                while (await client.ReceiveAsync(heard, patience.Token) > 0)
                {
                    // Until the host hangs up, or this end does.
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The host has hung up.
            }
        }
    }

    /// <summary>A daemon whose every message is right, changed or drawn.</summary>
    private sealed class FuzzingDaemon(ulong seed) : global::Hypercalls.Protos.Hypercalls.HypercallsBase
    {
        private int _streams;

        /// <summary>When set, what every Hello is answered with.</summary>
        public DaemonMessage? Welcome { get; set; }

        public override async Task Attach(IAsyncStreamReader<HostMessage> requestStream, IServerStreamWriter<DaemonMessage> responseStream, ServerCallContext context)
        {
            var (dice, messages) = Draw();
            await requestStream.MoveNext(context.CancellationToken);
            DaemonMessage welcome = new()
            {
                Welcome = new()
                {
                    ProtocolMajor = 1,
                    Token = ByteString.CopyFrom(new byte[16]),
                    Incarnation = 1,
                    Deadlines = new() { DaemonUs = 10_000, HostUs = 30_000 },
                },
            };
            await responseStream.WriteAsync(Welcome ?? Perhaps(dice, messages, welcome));
            if (!await requestStream.MoveNext(context.CancellationToken))
            {
                return;
            }

            DaemonMessage accepted = new()
            {
                RangesChanged = new() { Served = { new ServedRange { First = 0x8400_0000, Last = 0x8400_001F, Service = "PSCI", Conduits = { Conduit.Smc }, NoReturn = dice.OneIn(2) } } },
            };
            await responseStream.WriteAsync(Perhaps(dice, messages, accepted));
            for (var count = dice.Below(6); count > 0; count--)
            {
                await responseStream.WriteAsync(messages.Of<DaemonMessage>());
            }

            switch (dice.Below(4))
            {
                case 0:
                    return;
                case 1:
                    throw new RpcException(new Status((StatusCode)dice.Below(17), "Refused\u001b[2J."));
                default:
                    while (await requestStream.MoveNext(context.CancellationToken) && requestStream.Current.Detach is null)
                    {
                        // It listens.
                    }

                    return;
            }
        }

        public override async Task RunVcpu(IAsyncStreamReader<VcpuMessage> requestStream, IServerStreamWriter<DaemonToVcpu> responseStream, ServerCallContext context)
        {
            var (dice, messages) = Draw();
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                if (requestStream.Current.Exit is not { } exit)
                {
                    continue;
                }

                for (var count = dice.Below(4); count > 0; count--)
                {
                    var message = messages.Of<DaemonToVcpu>();
                    if (message.Answer is { } answer && dice.OneIn(2))
                    {
                        (answer.ExitId, answer.Boot) = (exit.ExitId, exit.Boot);
                    }

                    await responseStream.WriteAsync(message);
                }

                if (dice.OneIn(8))
                {
                    throw new RpcException(new Status((StatusCode)dice.Below(17), "Refused."));
                }

                if (!dice.OneIn(4))
                {
                    await responseStream.WriteAsync(new() { Answer = new() { ExitId = exit.ExitId, Boot = exit.Boot, Values = new() } });
                }
            }
        }

        private static DaemonMessage Perhaps(Dice dice, RandomMessages messages, DaemonMessage message) => dice.Below(8) switch
        {
            0 => messages.Of<DaemonMessage>(),
            < 4 => messages.Mutate(message),
            _ => message,
        };

        private (Dice, RandomMessages) Draw()
        {
            var dice = new Dice(seed + (1000ul * (ulong)Interlocked.Increment(ref _streams)));
            return (dice, new(dice));
        }
    }
}

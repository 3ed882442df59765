using System.Net;
using System.Net.Sockets;
using Hypercalls.Grpc;
using Hypercalls.Tests.Psci;

namespace Hypercalls.Tests.Faults;

/// <summary>What befalls the bytes of a connection, each time some arrive: one in so many, 0 for never.</summary>
/// <param name="Cut">The connection is cut, in the middle of what has arrived.</param>
/// <param name="Delay">They come up to 50 ms later.</param>
/// <param name="Hold">Nothing passes for up to 3 s, or for ever: neither end is told.</param>
internal sealed record NetworkFaults(int Cut = 0, int Delay = 0, int Hold = 0)
{
    public static readonly NetworkFaults None = new();
}

/// <summary>A TCP proxy before a Unix socket, which loses connections and holds bytes back; and says what has passed.</summary>
internal sealed class FaultyNetwork : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly string _socket;
    private readonly ulong _seed;
    private readonly CancellationTokenSource _ending = new();
    private readonly List<Line> _lines = [];
    private readonly Task _accepting;
    private volatile NetworkFaults _faults = NetworkFaults.None;
    private volatile bool _isSilent;
    private int _cuts;
    private int _holds;

    public FaultyNetwork(string socket, ulong seed)
    {
        (_socket, _seed) = (socket, seed);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = GrpcAddress.Tcp("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);
        _accepting = AcceptAsync();
    }

    public GrpcAddress Address { get; }

    public NetworkFaults Faults { set => _faults = value; }

    public int Connections
    {
        get
        {
            lock (_lines)
            {
                return _lines.Count;
            }
        }
    }

    public int Cuts => _cuts;

    public int Holds => _holds;

    /// <summary>From now on connections come up and nothing passes, on those that are there and on new ones.</summary>
    public void FallSilent()
    {
        _isSilent = true;
        lock (_lines)
        {
            _lines.ForEach(line => line.Hold());
        }
    }

    /// <summary>New connections work again; those that were silenced stay so for ever.</summary>
    public void SpeakAgain() => _isSilent = false;

    /// <summary>Cuts every connection there is.</summary>
    public void CutAll()
    {
        lock (_lines)
        {
            _lines.ForEach(line => line.Cut());
        }
    }

    /// <summary>What the two ends have said on the first connection.</summary>
    public (byte[] ByClient, byte[] ByServer) Recorded()
    {
        lock (_lines)
        {
            return (_lines[0].ByClient.ToArray(), _lines[0].ByServer.ToArray());
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        CutAll();
        await _accepting;
        Task[] passing;
        lock (_lines)
        {
            passing = [.. _lines.Select(line => line.Passing)];
        }

        await Task.WhenAll(passing).Soon();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        for (ulong number = 1; ; number++)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_ending.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            client.NoDelay = true;
            var line = new Line(client);
            lock (_lines)
            {
                _lines.Add(line);
            }

            line.Passing = PassAsync(line, new(_seed + (number * 2)), new(_seed + (number * 2) + 1));
        }
    }

    private async Task PassAsync(Line line, Dice up, Dice down)
    {
        try
        {
            if (_isSilent)
            {
                line.Hold();
            }

            await line.MayPassAsync(_ending.Token);
            await line.Server.ConnectAsync(new UnixDomainSocketEndPoint(_socket), _ending.Token);
            await Task.WhenAll(
                PassAsync(line, line.Client, line.Server, line.ByClient, up),
                PassAsync(line, line.Server, line.Client, line.ByServer, down));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Cut, or nobody is there.
        }
        finally
        {
            line.Cut();
        }
    }

    private async Task PassAsync(Line line, Socket from, Socket to, MemoryStream record, Dice dice)
    {
        try
        {
            var buffer = new byte[16 << 10];
            while (await from.ReceiveAsync(buffer, _ending.Token) is var count and > 0)
            {
                lock (_lines)
                {
                    record.Write(buffer, 0, count);
                }

                for (var begin = 0; begin < count;)
                {
                    var length = dice.OneIn(4) ? 1 + dice.Below(count - begin) : count - begin;
                    await PassAsync(line, buffer.AsMemory(begin, length), to, dice);
                    begin += length;
                }
            }

            await line.MayPassAsync(_ending.Token);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // A connection that is silenced does not even say that it has ended.
            await line.MayPassAsync(_ending.Token);
            line.Cut();
        }
    }

    private async Task PassAsync(Line line, Memory<byte> bytes, Socket to, Dice dice)
    {
        var faults = _faults;
        if (Befalls(faults.Cut, dice))
        {
            Interlocked.Increment(ref _cuts);
            await to.SendAsync(bytes[..dice.Below(bytes.Length)], _ending.Token);
            line.Cut();
            throw new OperationCanceledException("The connection is cut.");
        }

        if (Befalls(faults.Delay, dice))
        {
            await Task.Delay(dice.Below(50), _ending.Token);
        }

        if (Befalls(faults.Hold, dice))
        {
            Interlocked.Increment(ref _holds);
            line.Hold();
            if (dice.OneIn(2))
            {
                _ = ReleaseAsync(line, dice.Below(3000));
            }
        }

        await line.MayPassAsync(_ending.Token);
        await to.SendAsync(bytes, _ending.Token);
    }

    private static bool Befalls(int oneIn, Dice dice) => oneIn > 0 && dice.OneIn(oneIn);

    private async Task ReleaseAsync(Line line, int milliseconds)
    {
        await Task.Delay(milliseconds, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        line.Release();
    }

    /// <summary>One connection.</summary>
    private sealed class Line(Socket client)
    {
        private volatile TaskCompletionSource? _held;

        public Socket Client { get; } = client;

        public Socket Server { get; } = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        public MemoryStream ByClient { get; } = new();

        public MemoryStream ByServer { get; } = new();

        public Task Passing { get; set; } = Task.CompletedTask;

        public void Hold() => _held ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release()
        {
            var held = _held;
            _held = null;
            held?.TrySetResult();
        }

        public Task MayPassAsync(CancellationToken ending) => _held?.Task.WaitAsync(ending) ?? Task.CompletedTask;

        public void Cut()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}

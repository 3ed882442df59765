using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Bench.Hosts;
using Hypercalls.Daemon.Machines;
using Hypercalls.Daemon.Wire;
using Hypercalls.Protos;

namespace Hypercalls.Bench.InProcess;

/// <summary>A vCPU's stream as the daemon serves it, from the bytes of an exit to the bytes of its answer; what is missing is HTTP/2 and the socket.</summary>
internal sealed class StreamBatch(VcpuStream stream, ByteString token) : IBatch, IAsyncStreamReader<VcpuMessage>, IServerStreamWriter<DaemonToVcpu>
{
    private readonly byte[][] _requests = new byte[IBatch.Calls + 1][];
    private readonly byte[] _written = new byte[256];
    private ulong _exitId;
    private int _next;

    public VcpuMessage Current { get; private set; } = new();

    public WriteOptions? WriteOptions { get; set; }

    public void Prepare()
    {
        _next = 0;
        _requests[0] = new VcpuMessage { Open = new() { Token = token } }.ToByteArray();
        for (var i = 1; i < _requests.Length; i++)
        {
            _requests[i] = new VcpuMessage { Exit = PsciVersionCall.Exit(++_exitId) }.ToByteArray();
        }
    }

    public void Run() => stream.RunAsync(this, this, new Peer.User(0), CancellationToken.None).GetAwaiter().GetResult();

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (_next == _requests.Length)
        {
            return Task.FromResult(false);
        }

        Current = VcpuMessage.Parser.ParseFrom(_requests[_next++]);
        return Task.FromResult(true);
    }

    public Task WriteAsync(DaemonToVcpu message) => WriteAsync(message, CancellationToken.None);

    public Task WriteAsync(DaemonToVcpu message, CancellationToken cancellationToken)
    {
        PsciVersionCall.Check(message.Answer.Values.X0);
        message.WriteTo(_written.AsSpan(0, message.CalculateSize()));
        return Task.CompletedTask;
    }
}

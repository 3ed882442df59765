using System.Net.Sockets;

namespace Hypercalls.Bench.Processes;

/// <summary>Asks another process about its managed memory; its end there is <see cref="StartupHook"/>.</summary>
internal sealed class Probe : IDisposable
{
    public const string PathVariable = "BENCH_PROBE";
    public const byte Heap = 1;
    private const byte AllocatedBytes = 0;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public Probe(string path) => _socket.Connect(new UnixDomainSocketEndPoint(path));

    /// <summary>Bytes allocated since the process was started.</summary>
    public long Allocated() => Ask(AllocatedBytes);

    /// <summary>Bytes in use on the managed heap after a full collection.</summary>
    public long HeapBytes() => Ask(Heap);

    public void Dispose() => _socket.Dispose();

    private long Ask(byte question)
    {
        _socket.Send([question]);
        var answer = new byte[sizeof(long)];
        return _socket.Receive(answer) == answer.Length ? BitConverter.ToInt64(answer) : throw new BenchException("The daemon no longer says what it allocates.");
    }
}

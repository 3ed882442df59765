using System.Net;
using System.Net.Sockets;
using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Load;

namespace Hypercalls.Bench.Raw;

/// <summary>The caller of the raw ping-pong: one connection, blocking or on top of asynchronous operations.</summary>
internal sealed class RawCaller : ICaller
{
    private readonly Socket _socket;
    private readonly byte[] _request;
    private readonly byte[] _reply;
    private readonly bool _isAsync;

    private RawCaller(EndPoint address, bool isAsync)
    {
        var sizes = PsciVersionCall.Sizes;
        (_request, _reply, _isAsync) = (new byte[sizes.Request], new byte[sizes.Reply], isAsync);
        _socket = RawSocket.Create(address);
        RawSocket.NoDelay(_socket);
        _socket.Connect(address);
    }

    public static IReadOnlyList<ICaller> Several(int count, EndPoint address, bool isAsync = false) =>
        [.. Enumerable.Range(0, count).Select(_ => new RawCaller(address, isAsync))];

    public void Call()
    {
        if (!(_isAsync ? CallAsync().GetAwaiter().GetResult() : CallBlocking()))
        {
            throw new BenchException("The echo server has hung up.");
        }
    }

    public void Dispose() => _socket.Dispose();

    private bool CallBlocking()
    {
        _socket.Send(_request);
        return RawSocket.TryReceive(_socket, _reply);
    }

    private async Task<bool> CallAsync()
    {
        await _socket.SendAsync(_request).ConfigureAwait(false);
        return await RawSocket.TryReceiveAsync(_socket, _reply).ConfigureAwait(false);
    }
}

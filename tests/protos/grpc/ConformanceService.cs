using Grpc.Core;
using Hypercalls.Daemon.Wire.Grpc;
using Hypercalls.Tests.Conformance;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>The service of conformance.proto; a test replaces what it needs otherwise.</summary>
internal sealed class ConformanceService : Conformance.Conformance.ConformanceBase
{
    public const int LargeLimit = 1024 * 1024;

    public UnaryServerMethod<Message, Message> OnEcho { get; init; } = (request, _) =>
        request.Status == 0 ? Task.FromResult(request) : throw new RpcException(new Status((StatusCode)request.Status, request.Text));

    public ClientStreamingServerMethod<Message, Message> OnCollect { get; init; } = async (requests, _) =>
    {
        var sum = new Message();
        await foreach (var request in requests.ReadAllAsync())
        {
            sum.Number += request.Number;
            sum.Text += request.Text;
        }

        return sum;
    };

    public ServerStreamingServerMethod<Message, Message> OnRepeat { get; init; } = async (request, responses, context) =>
    {
        for (var i = 0; i < request.Number; i++)
        {
            await responses.WriteAsync(request);
        }

        context.Status = new Status((StatusCode)request.Status, request.Status == 0 ? "" : request.Text);
    };

    public DuplexStreamingServerMethod<Message, Message> OnChat { get; init; } = async (requests, responses, context) =>
    {
        await foreach (var request in requests.ReadAllAsync(context.CancellationToken))
        {
            await responses.WriteAsync(request);
        }
    };

    public override Task<Message> Echo(Message request, ServerCallContext context) => OnEcho(request, context);

    public override Task<Message> Collect(IAsyncStreamReader<Message> requestStream, ServerCallContext context) => OnCollect(requestStream, context);

    public override Task Repeat(Message request, IServerStreamWriter<Message> responseStream, ServerCallContext context) => OnRepeat(request, responseStream, context);

    public override Task Chat(IAsyncStreamReader<Message> requestStream, IServerStreamWriter<Message> responseStream, ServerCallContext context) =>
        OnChat(requestStream, responseStream, context);

    [ReceiveLimit(LargeLimit)]
    public override Task<Message> EchoLarge(Message request, ServerCallContext context) => Task.FromResult(request);
}

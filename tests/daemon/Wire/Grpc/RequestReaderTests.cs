using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Daemon.Wire.Grpc;
using Hypercalls.Grpc;
using Hypercalls.Tests.Conformance;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hypercalls.Tests.Daemon.Wire.Grpc;

public class RequestReaderTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_read_that_was_left_behind_is_waited_for_though_the_caller_is_gone(bool isCancellation)
    {
        var bytes = Marshallers.Create<Message>(each => each.ToByteArray(), Message.Parser.ParseFrom);
        var pipe = new AbortedPipe(isCancellation ? new TaskCanceledException() : new IOException("The client reset the request stream."));
        var call = new ServerCall(new DefaultHttpContext(), "/Chat", null, NullLogger.Instance);
        var reader = new RequestReader<Message>(
            call, new Method<Message, Message>(MethodType.DuplexStreaming, "Conformance", "Chat", bytes, bytes), pipe, new FrameReader<Message>(pipe, bytes, 100, StatusCode.Internal));
        var reading = reader.MoveNext(CancellationToken.None);
        var closing = reader.CloseAsync();
        Assert.False(closing.IsCompleted);
        pipe.Read.SetException(new IOException("The client reset the request stream."));
        await closing.Soon();
        await Assert.ThrowsAsync<OperationCanceledException>(() => reading.Soon());
        await Assert.ThrowsAsync<OperationCanceledException>(() => reader.MoveNext(CancellationToken.None));
    }

    /// <summary>As Kestrel's is of a request that was aborted: nothing can be asked of it, not even to cancel.</summary>
    private sealed class AbortedPipe(Exception fault) : PipeReader
    {
        public TaskCompletionSource<ReadResult> Read { get; } = new();

        public override void AdvanceTo(SequencePosition consumed) => throw fault;

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => throw fault;

        public override void CancelPendingRead() => throw fault;

        public override void Complete(Exception? exception = null) => throw fault;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => await Read.Task;

        public override bool TryRead(out ReadResult result) => throw fault;
    }
}

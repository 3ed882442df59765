using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Grpc;
using Hypercalls.Tests.Conformance;

namespace Hypercalls.Tests.Protos.Grpc;

public class FrameTests
{
    private static readonly Marshaller<byte[]> s_bytes = new(bytes => bytes, bytes => bytes);

    private static readonly Marshaller<Message> s_message = Marshallers.Create<Message>(
        (message, context) =>
        {
            context.SetPayloadLength(message.CalculateSize());
            message.WriteTo(context.GetBufferWriter());
            context.Complete();
        },
        context => Message.Parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(65_536)]
    [InlineData(1_000_000)]
    public async Task Come_back_however_they_are_cut(int length)
    {
        var random = new Random(length);
        var message = new Message { Number = length, Data = ByteString.CopyFrom([.. Enumerable.Range(0, length).Select(_ => (byte)random.Next())]) };
        var writer = new FrameWriter<Message>(s_message, int.MaxValue);
        var three = new[] { message, new Message(), message }.SelectMany(each => writer.Write(each).ToArray()).ToArray();
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        var reader = new FrameReader<Message>(pipe.Reader, s_message, int.MaxValue, StatusCode.Internal);
        var writing = Task.Run(async () =>
        {
            for (var at = 0; at < three.Length;)
            {
                var piece = Math.Min(random.Next(1, Math.Max(10, length / 3)), three.Length - at);
                await pipe.Writer.WriteAsync(three.AsMemory(at, piece));
                at += piece;
            }

            await pipe.Writer.CompleteAsync();
        });
        Assert.Equal(message, await reader.ReadAsync(CancellationToken.None));
        Assert.Equal(new Message(), await reader.ReadAsync(CancellationToken.None));
        Assert.Equal(message, await reader.ReadAsync(CancellationToken.None));
        Assert.Null(await reader.ReadAsync(CancellationToken.None));
        await writing;
    }

    [Fact]
    public void Are_a_flag_a_length_and_the_message()
    {
        var writer = new FrameWriter<byte[]>(s_bytes, 300);
        Assert.Equal([0, 0, 0, 0, 3, 1, 2, 3], writer.Write([1, 2, 3]).ToArray());
        Assert.Equal([0, 0, 0, 0, 0], writer.Write([]).ToArray());
        Assert.Equal([0, 0, 0, 1, 44], writer.Write(new byte[300])[..5].ToArray());
        Assert.Equal(StatusCode.ResourceExhausted, Assert.Throws<RpcException>(() => writer.Write(new byte[301])).StatusCode);
        Assert.Equal([0, 0, 0, 0, 1, 9], writer.Write([9]).ToArray());
    }

    [Fact]
    public void Take_what_a_marshaller_writes_without_saying_how_much()
    {
        var pieces = Marshallers.Create<byte[]>(
            (bytes, context) =>
            {
                foreach (var value in bytes)
                {
                    context.GetBufferWriter().Write([value]);
                }

                context.Complete();
            },
            context => context.PayloadAsNewBuffer());
        var bytes = Enumerable.Range(0, 1000).Select(number => (byte)number).ToArray();
        Assert.Equal([0, 0, 0, 3, 0xe8, .. bytes], new FrameWriter<byte[]>(pieces, 1000).Write(bytes).ToArray());
        Assert.Throws<RpcException>(() => new FrameWriter<byte[]>(pieces, 999).Write(bytes));

        var silent = Marshallers.Create<byte[]>((_, _) => { }, context => context.PayloadAsNewBuffer());
        Assert.Throws<InvalidOperationException>(() => new FrameWriter<byte[]>(silent, 1000).Write(bytes));
    }

    [Fact]
    public async Task Are_judged_by_their_prefix_before_the_message_is_there()
    {
        var pipe = new Pipe();
        var reader = new FrameReader<byte[]>(pipe.Reader, s_bytes, 10, StatusCode.Unimplemented);
        await pipe.Writer.WriteAsync(new byte[] { 0, 0, 0, 0, 11 });
        var failure = await Assert.ThrowsAsync<RpcException>(() => reader.ReadAsync(CancellationToken.None).AsTask().Soon());
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Can_be_read_on_after_a_cancelled_read()
    {
        var pipe = new Pipe();
        var reader = new FrameReader<byte[]>(pipe.Reader, s_bytes, 10, StatusCode.Unimplemented);
        await pipe.Writer.WriteAsync(new byte[] { 0, 0, 0 });
        using var source = new CancellationTokenSource();
        var reading = reader.ReadAsync(source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.Soon());
        pipe.Reader.CancelPendingRead();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reader.ReadAsync(CancellationToken.None).AsTask().Soon());
        await pipe.Writer.WriteAsync(new byte[] { 0, 1, 7 });
        Assert.Equal([7], await reader.ReadAsync(CancellationToken.None).AsTask().Soon());
    }
}

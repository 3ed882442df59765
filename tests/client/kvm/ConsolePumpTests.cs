using System.Text;
using Hypercalls.Kvm;

namespace Hypercalls.Tests.Client.Kvm;

public sealed class ConsolePumpTests
{
    private const int MostWaiting = 64 << 10;

    [Fact]
    public void Writes_all_in_order_before_it_has_finished()
    {
        using var output = new Terminal();
        using var pump = new ConsolePump(output, _ => Assert.Fail("It broke."));
        var expected = new StringBuilder();
        for (var n = 0; n < 10_000; n++)
        {
            pump.Write(Encoding.ASCII.GetBytes($"line {n}\n"));
            expected.Append("line ").Append(n).Append('\n');
        }
        pump.Finish();
        Assert.Equal(expected.ToString(), output.Text);
        Assert.True(output.Flushes > 0);
    }

    [Fact]
    public async Task Each_writers_bytes_stay_in_their_order()
    {
        using var output = new Terminal();
        using var pump = new ConsolePump(output, _ => Assert.Fail("It broke."));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(() =>
        {
            for (var n = 0; n < 2000; n++)
            {
                pump.Write([(byte)('a' + writer), (byte)(n % 64)]);
            }
        })));
        pump.Finish();
        var written = output.Bytes;
        Assert.Equal(4 * 2000 * 2, written.Length);
        for (var writer = 0; writer < 4; writer++)
        {
            var own = written.Chunk(2).Where(pair => pair[0] == 'a' + writer).Select(pair => (int)pair[1]);
            Assert.Equal(Enumerable.Range(0, 2000).Select(n => n % 64), own);
        }
    }

    [Fact]
    public async Task A_writer_waits_where_much_is_waiting_and_goes_on_when_it_is_taken()
    {
        using var output = new Terminal { IsHeld = true };
        using var pump = new ConsolePump(output, _ => Assert.Fail("It broke."));
        pump.Write("x"u8);
        await output.Writing.WaitAsync().Soon();
        pump.Write(new byte[MostWaiting]);
        var writer = Task.Run(() => pump.Write("last"u8));
        Assert.NotSame(writer, await Task.WhenAny(writer, Task.Delay(200)));
        output.Release();
        await writer.Soon();
        pump.Finish();
        Assert.Equal(1 + MostWaiting + 4, output.Bytes.Length);
        Assert.EndsWith("last", output.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_end_releases_a_writer_that_waits_and_drops_what_comes_after()
    {
        using var output = new Terminal { IsHeld = true };
        using var pump = new ConsolePump(output, _ => Assert.Fail("It broke."));
        pump.Write("x"u8);
        await output.Writing.WaitAsync().Soon();
        pump.Write(new byte[MostWaiting]);
        var writer = Task.Run(() => pump.Write("late"u8));
        pump.Dispose();
        await writer.Soon();
        pump.Write("later"u8);
        output.Release();
        pump.Finish();
        Assert.InRange(output.Bytes.Length, 1 + MostWaiting, 1 + MostWaiting + 4);
        Assert.DoesNotContain("later", output.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_that_breaks_is_told_once_and_holds_nobody_up(bool isDisposed)
    {
        var told = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var output = new Terminal { Breaks = isDisposed ? new ObjectDisposedException("terminal") : new IOException("gone") };
        using var pump = new ConsolePump(output, told.SetResult);
        pump.Write("x"u8);
        Assert.StartsWith("The guest's console cannot be written: ", await told.Task.Soon(), StringComparison.Ordinal);
        for (var n = 0; n < 4; n++)
        {
            pump.Write(new byte[MostWaiting]);
        }
        pump.Finish();
    }

    private sealed class Terminal : Stream
    {
        private readonly MemoryStream _written = new();
        private readonly ManualResetEventSlim _free = new();

        public bool IsHeld { get; init; }

        public Exception? Breaks { get; init; }

        public SemaphoreSlim Writing { get; } = new(0);

        public int Flushes { get; private set; }

        public byte[] Bytes => _written.ToArray();

        public string Text => Encoding.ASCII.GetString(Bytes);

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Release() => _free.Set();

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Writing.Release();
            if (Breaks is not null)
            {
                throw Breaks;
            }
            if (IsHeld)
            {
                _free.Wait();
            }
            _written.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => Flushes++;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

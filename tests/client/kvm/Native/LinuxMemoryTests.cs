using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Native;

public sealed class LinuxMemoryTests
{
    private const ulong Size = 8 << 20;

    [Fact]
    public void Is_zero_at_first_and_holds_what_is_written()
    {
        using var memory = new LinuxMemory(Size);
        Assert.Equal(Size, memory.Size);
        Assert.Equal(0ul, memory.Address % 4096);
        var bytes = new byte[4];
        memory.Read(Size - 4, bytes);
        Assert.Equal(new byte[4], bytes);
        memory.Write(0, [1, 2]);
        memory.Write(Size - 2, [3, 4]);
        memory.Read(0, bytes);
        Assert.Equal([1, 2, 0, 0], bytes);
        memory.Read(Size - 4, bytes);
        Assert.Equal([0, 0, 3, 4], bytes);
    }

    [Fact]
    public void Is_zero_again_when_it_was_cleared_and_takes_bytes_as_before()
    {
        using var memory = new LinuxMemory(Size);
        var page = new byte[4096];
        Array.Fill(page, (byte)0xff);
        for (var offset = 0ul; offset < Size; offset += 4096)
        {
            memory.Write(offset, page);
        }
        memory.Clear();
        var all = new byte[Size];
        memory.Read(0, all);
        Assert.Equal(-1, all.AsSpan().IndexOfAnyExcept((byte)0));
        memory.Write(5000, [7]);
        memory.Read(5000, page);
        Assert.Equal(7, page[0]);
    }

    [Theory]
    [InlineData(Size, 1)]
    [InlineData(Size - 1, 2)]
    [InlineData(Size + 1, 0)]
    [InlineData(ulong.MaxValue, 1)]
    [InlineData(ulong.MaxValue - 1, 4)]
    public void Nothing_beyond_its_end_is_touched(ulong offset, int length)
    {
        using var memory = new LinuxMemory(Size);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Read(offset, new byte[length]));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Write(offset, new byte[length]));
    }

    [Fact]
    public void Nothing_at_its_end_is_nothing()
    {
        using var memory = new LinuxMemory(Size);
        memory.Read(Size, []);
        memory.Write(Size, []);
    }

    [Fact]
    public void Is_gone_when_it_was_disposed_of_however_often()
    {
        var memory = new LinuxMemory(Size);
        memory.Dispose();
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.Read(0, new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => memory.Write(0, new byte[1]));
    }

    [Fact]
    public void More_than_there_is_of_addresses_is_refused_with_a_sentence() =>
        Assert.Equal("1099511627776 MiB cannot be mapped: ENOMEM (12).", Assert.Throws<IOException>(() => new LinuxMemory(1ul << 60)).Message);
}

using Hypercalls.Kvm.Devices;

namespace Hypercalls.Tests.Client.Kvm.Devices;

public sealed class MmioBusTests
{
    private readonly Recorder _low = new(0x1122_3344_5566_7788);
    private readonly Recorder _high = new(0x99);
    private readonly MmioBus _bus;

    public MmioBusTests() => _bus = new(new(0x0900_0000, 0x1000, _low), new(0x0800_0000, 0x1000, _high));

    [Theory]
    [InlineData(1, "88 ee ee ee ee ee ee ee")]
    [InlineData(2, "88 77 ee ee ee ee ee ee")]
    [InlineData(4, "88 77 66 55 ee ee ee ee")]
    [InlineData(8, "88 77 66 55 44 33 22 11")]
    public void Reads_little_endian(uint length, string expected)
    {
        var data = Enumerable.Repeat((byte)0xee, 8).ToArray();
        Assert.True(_bus.TryRead(0x0900_0018, length, data));
        Assert.Equal(expected, string.Join(' ', data.Select(value => value.ToString("x2", null))));
        Assert.Equal([$"read 18 {length}"], _low.Calls);
        Assert.Equal((0L, 0), (_bus.UnservedAccesses, _high.Calls.Count));
    }

    [Theory]
    [InlineData(1, 0x88)]
    [InlineData(2, 0x7788)]
    [InlineData(4, 0x5566_7788)]
    [InlineData(8, 0x1122_3344_5566_7788)]
    public void Writes_little_endian(uint length, ulong value)
    {
        Assert.True(_bus.TryWrite(0x0800_0ff8, length, [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]));
        Assert.Equal([$"write ff8 {length} {value:x}"], _high.Calls);
        Assert.Equal((0L, 0), (_bus.UnservedAccesses, _low.Calls.Count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(16)]
    [InlineData(0x8000_0004)]
    [InlineData(0xffff_ffff)]
    public void Refuses_lengths_that_no_access_has(uint length)
    {
        var data = new byte[16];
        data.AsSpan().Fill(0xee);
        Assert.False(_bus.TryRead(0x0900_0000, length, data));
        Assert.False(_bus.TryWrite(0x0900_0000, length, data));
        Assert.All(data, value => Assert.Equal(0xee, value));
        Assert.Empty(_low.Calls);
        Assert.Equal(0, _bus.UnservedAccesses);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void Refuses_more_than_the_data_hold(uint length)
    {
        var data = new byte[length - 1];
        Assert.False(_bus.TryRead(0x0900_0000, length, data));
        Assert.False(_bus.TryWrite(0x0900_0000, length, data));
        Assert.Empty(_low.Calls);
    }

    [Theory]
    [InlineData(0x0000_0000)]
    [InlineData(0x07ff_ffff)]
    [InlineData(0x0800_0ffd)] // beyond its end
    [InlineData(0x0800_1000)]
    [InlineData(0x08ff_fffe)] // begins in front of a device
    [InlineData(0x0900_0ffe)]
    [InlineData(0x0900_1000)]
    [InlineData(0xffff_ffff_ffff_ffff)]
    public void Reads_zero_where_nothing_is(ulong address)
    {
        byte[] data = [1, 2, 3, 4, 5, 6, 7, 8];
        Assert.True(_bus.TryRead(address, 4, data));
        Assert.Equal([0, 0, 0, 0, 5, 6, 7, 8], data);
        Assert.True(_bus.TryWrite(address, 4, data));
        Assert.Equal(2, _bus.UnservedAccesses);
        Assert.Equal([address], _bus.UnservedAddresses);
        Assert.Empty(_low.Calls);
        Assert.Empty(_high.Calls);
    }

    [Fact]
    public void Remembers_the_first_eight_addresses_of_nothing()
    {
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0ul; i < 20; i++)
            {
                Assert.True(_bus.TryWrite(i, 1, [0]));
            }
        }
        Assert.Equal([0ul, 1, 2, 3, 4, 5, 6, 7], _bus.UnservedAddresses);
        Assert.Equal(40, _bus.UnservedAccesses);
    }

    [Theory]
    [InlineData(0x1000, 0x1000, 0x1fff, 0x1000)]
    [InlineData(0x1fff, 0x1000, 0x1000, 0x1000)]
    [InlineData(0x1000, 0x1000, 0x1000, 0x1000)]
    [InlineData(0x1000, 0, 0x2000, 0x1000)]
    [InlineData(0x1000, 0x1000, 0xffff_ffff_ffff_f000, 0x2000)]
    public void Refuses_devices_that_overlap(ulong first, ulong firstSize, ulong second, ulong secondSize) =>
        Assert.Throws<ArgumentException>(() => new MmioBus(new(first, firstSize, _low), new(second, secondSize, _high)));

    [Fact]
    public void Allocates_nothing_as_it_is_accessed()
    {
        var bus = new MmioBus(new MmioRegion(0x0900_0000, Pl011.Size, new Pl011(_ => { }, _ => { })));
        Access();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Access();
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Access()
        {
            Span<byte> data = stackalloc byte[8];
            bus.TryRead(0x0900_0018, 4, data);
            bus.TryWrite(0x0900_0000, 1, data);
            bus.TryRead(0x0a00_0000, 8, data);
            bus.TryWrite(0x0b00_0000, 2, data);
            bus.TryWrite(0x0b00_0000, 3, data);
        }
    }

    private sealed class Recorder(ulong value) : IMmioDevice
    {
        public List<string> Calls { get; } = [];

        public ulong Read(ulong offset, int size)
        {
            Calls.Add($"read {offset:x} {size}");
            return value;
        }

        public void Write(ulong offset, int size, ulong written) => Calls.Add($"write {offset:x} {size} {written:x}");
    }
}

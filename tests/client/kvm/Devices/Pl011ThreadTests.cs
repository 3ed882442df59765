using Hypercalls.Kvm.Devices;
using static Hypercalls.Kvm.Devices.Pl011Register;

namespace Hypercalls.Tests.Client.Kvm.Devices;

public sealed class Pl011ThreadTests
{
    private const ulong Rx = 1 << 4;
    private const ulong Tx = 1 << 5;
    private const ulong Rt = 1 << 6;
    private const ulong Rxfe = 1 << 4;
    private const ulong Fen = 1 << 4;

    [Fact]
    public async Task Serves_keyboard_and_vCPUs_at_once()
    {
        const int bytes = 200_000;
        var line = false;
        var sent = 0;
        var uart = new Pl011(_ => sent++, level =>
        {
            Assert.NotEqual(line, level);
            line = level;
        });
        uart.Write(LcrH, 4, Fen);
        uart.Write(Imsc, 4, Rx | Rt);
        using var room = new SemaphoreSlim(64);
        var keyboard = Task.Run(async () =>
        {
            for (var i = 0; i < bytes; i++)
            {
                await room.WaitAsync();
                uart.Receive([(byte)i]);
            }
        });
        var writers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < bytes; i++)
            {
                uart.Write(Dr, 1, 'x');
            }
        }));
        var reader = Task.Run(async () =>
        {
            for (var i = 0; i < bytes; i++)
            {
                while ((uart.Read(Fr, 4) & Rxfe) != 0)
                {
                    await Task.Yield();
                }
                Assert.Equal((byte)i, (byte)uart.Read(Dr, 4));
                room.Release();
            }
        });
        await Task.WhenAll([keyboard, reader, .. writers]).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(2 * bytes, sent);
        Assert.Equal((0L, false, Tx), (uart.Dropped, line, uart.Read(Ris, 4)));
    }

    [Fact]
    public async Task Receives_while_its_output_is_held_up()
    {
        using var held = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var uart = new Pl011(_ => { entered.Set(); held.Wait(); }, _ => { });
        var sending = Task.Run(() => uart.Write(Dr, 1, 'x'));
        Assert.True(entered.Wait(TimeSpan.FromMinutes(1)));
        var other = Task.Run(() =>
        {
            uart.Receive("q"u8);
            return uart.Read(Dr, 4);
        });
        Assert.Equal('q', (char)await other.WaitAsync(TimeSpan.FromMinutes(1)));
        held.Set();
        await sending.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Allocates_nothing_as_it_is_accessed()
    {
        var uart = new Pl011(_ => { }, _ => { });
        uart.Write(LcrH, 4, Fen);
        uart.Write(Imsc, 4, Rx | Rt | Tx);
        Access(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Access(10_000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Access(int times)
        {
            for (var i = 0; i < times; i++)
            {
                uart.Receive("ab"u8);
                uart.Write(Dr, 1, uart.Read(Dr, 4) + uart.Read(Dr, 4));
                uart.Write(Icr, 4, uart.Read(Mis, 4));
            }
        }
    }
}

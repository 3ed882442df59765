using System.Text;
using Hypercalls.Kvm.Devices;
using static Hypercalls.Kvm.Devices.Pl011Register;

namespace Hypercalls.Tests.Client.Kvm.Devices;

public sealed class Pl011Tests
{
    // IMSC, RIS, MIS, ICR.
    private const ulong Rx = 1 << 4;
    private const ulong Tx = 1 << 5;
    private const ulong Rt = 1 << 6;

    // FR.
    private const ulong Rxfe = 1 << 4;
    private const ulong Rxff = 1 << 6;
    private const ulong FrIdle = 0x87; // TXFE, DCD, DSR, CTS

    private const ulong Fen = 1 << 4;

    private readonly List<byte> _sent = [];
    private readonly List<bool> _line = [];
    private readonly Pl011 _uart;

    public Pl011Tests() => _uart = new(bytes => _sent.AddRange(bytes), _line.Add);

    [Theory]
    // DDI 0183, Register summary.
    [InlineData(0x000, 0x000)] // UARTDR: undefined
    [InlineData(0x004, 0x000)] // UARTRSR
    [InlineData(0x018, 0x097)] // UARTFR: 0b-10010---, the modem's inputs active
    [InlineData(0x020, 0x000)] // UARTILPR
    [InlineData(0x024, 0x000)] // UARTIBRD
    [InlineData(0x028, 0x000)] // UARTFBRD
    [InlineData(0x02c, 0x000)] // UARTLCR_H
    [InlineData(0x030, 0x300)] // UARTCR
    [InlineData(0x034, 0x012)] // UARTIFLS
    [InlineData(0x038, 0x000)] // UARTIMSC
    [InlineData(0x03c, 0x000)] // UARTRIS
    [InlineData(0x040, 0x000)] // UARTMIS
    [InlineData(0x044, 0x000)] // UARTICR: write-only
    [InlineData(0x048, 0x000)] // UARTDMACR
    [InlineData(0xfe0, 0x011)] // UARTPeriphID0
    [InlineData(0xfe4, 0x010)] // UARTPeriphID1
    [InlineData(0xfe8, 0x014)] // UARTPeriphID2: revision 1
    [InlineData(0xfec, 0x000)] // UARTPeriphID3
    [InlineData(0xff0, 0x00d)] // UARTPCellID0
    [InlineData(0xff4, 0x0f0)] // UARTPCellID1
    [InlineData(0xff8, 0x005)] // UARTPCellID2
    [InlineData(0xffc, 0x0b1)] // UARTPCellID3
    [InlineData(0x008, 0x000)] // reserved
    [InlineData(0x019, 0x000)] // no register's offset
    [InlineData(0x04c, 0x000)]
    [InlineData(0xfe1, 0x000)]
    [InlineData(0x1000, 0x000)]
    [InlineData(0xffff_ffff_ffff_fffc, 0x000)]
    public void Has_the_reset_values_of_the_manual(ulong offset, ulong expected)
    {
        Assert.Equal(expected, _uart.Read(offset, 4));

        foreach (var register in (ulong[])[Ilpr, Ibrd, Fbrd, LcrH, Cr, Ifls, Imsc, Dmacr])
        {
            _uart.Write(register, 4, ~0ul);
        }
        _uart.Write(Dr, 4, 'x');
        _uart.Receive("0123456789abcdef"u8);
        _uart.Reset();
        Assert.Equal(expected, _uart.Read(offset, 4));
        Assert.Equal([true, false], _line);
    }

    [Theory]
    [InlineData(0x004, 0x000)] // UARTECR: clears errors, of which there are none
    [InlineData(0x018, 0x097)] // UARTFR: read-only
    [InlineData(0x020, 0x0ff)] // UARTILPR
    [InlineData(0x024, 0xffff)] // UARTIBRD
    [InlineData(0x028, 0x03f)] // UARTFBRD
    [InlineData(0x02c, 0x0ff)] // UARTLCR_H
    [InlineData(0x030, 0xff87)] // UARTCR
    [InlineData(0x034, 0x03f)] // UARTIFLS
    [InlineData(0x038, 0x7ff)] // UARTIMSC
    [InlineData(0x03c, 0x000)] // UARTRIS: read-only
    [InlineData(0x040, 0x000)] // UARTMIS: read-only
    [InlineData(0x048, 0x007)] // UARTDMACR
    [InlineData(0xfe0, 0x011)] // UARTPeriphID0: read-only
    [InlineData(0x800, 0x000)]
    public void Keeps_what_a_register_has_bits_for(ulong offset, ulong kept)
    {
        _uart.Write(offset, 8, ~0ul);
        Assert.Equal(kept, _uart.Read(offset, 8));
        Assert.Empty(_sent);
        Assert.Empty(_line);
    }

    [Fact]
    public void Sends_what_is_written_to_DR_without_being_enabled()
    {
        foreach (var letter in "hello"u8)
        {
            Assert.Equal(FrIdle | Rxfe, _uart.Read(Fr, 4));
            _uart.Write(Dr, 1, 0xff00ul | letter);
        }
        Assert.Equal("hello", Encoding.ASCII.GetString([.. _sent]));
    }

    [Fact]
    public void Raises_the_transmit_interrupt_once_data_have_left()
    {
        // A transition of the FIFO's level and not the level itself: enabling it raises nothing.
        _uart.Write(Imsc, 4, Tx);
        Assert.Equal((0ul, 0ul), (_uart.Read(Ris, 4), _uart.Read(Mis, 4)));
        _uart.Write(Dr, 4, 'a');
        Assert.Equal((Tx, Tx), (_uart.Read(Ris, 4), _uart.Read(Mis, 4)));
        _uart.Write(Dr, 4, 'b');
        Assert.Equal([true], _line);
        _uart.Write(Icr, 4, Tx);
        Assert.Equal((0ul, 0ul), (_uart.Read(Ris, 4), _uart.Read(Mis, 4)));
        _uart.Write(Dr, 4, 'c');
        _uart.Write(Imsc, 4, 0);
        Assert.Equal((Tx, 0ul), (_uart.Read(Ris, 4), _uart.Read(Mis, 4)));
        _uart.Write(Imsc, 4, Tx);
        Assert.Equal([true, false, true, false, true], _line);
    }

    [Theory]
    // RXIFLSEL and the bytes that raise UARTRXINTR.
    [InlineData(0, 2)] // 1/8
    [InlineData(1, 4)] // 1/4
    [InlineData(2, 8)] // 1/2
    [InlineData(3, 12)] // 3/4
    [InlineData(4, 14)] // 7/8
    public void Raises_the_receive_interrupt_at_the_FIFOs_level(ulong select, int trigger)
    {
        _uart.Write(LcrH, 4, Fen);
        _uart.Write(Ifls, 4, select << 3 | 7);
        for (var count = 1; count <= 16; count++)
        {
            _uart.Receive([(byte)count]);
            Assert.Equal(count >= trigger ? Rx | Rt : Rt, _uart.Read(Ris, 4));
            Assert.Equal(FrIdle | (count == 16 ? Rxff : 0), _uart.Read(Fr, 4));
        }
        for (var count = 1; count <= 16; count++)
        {
            Assert.Equal((ulong)count, _uart.Read(Dr, 4));
            Assert.Equal(16 - count >= trigger ? Rx | Rt : count < 16 ? Rt : 0, _uart.Read(Ris, 4));
            Assert.Equal(FrIdle | (count == 16 ? Rxfe : 0), _uart.Read(Fr, 4));
        }
        Assert.Equal(0ul, _uart.Read(Dr, 4));
    }

    [Fact]
    public void Holds_one_byte_without_FIFOs()
    {
        _uart.Receive("ab"u8);
        Assert.Equal((FrIdle | Rxff, Rx | Rt), (_uart.Read(Fr, 4), _uart.Read(Ris, 4)));
        Assert.Equal('a', (char)_uart.Read(Dr, 4));
        Assert.Equal((FrIdle | Rxff, Rx | Rt), (_uart.Read(Fr, 4), _uart.Read(Ris, 4)));
        _uart.Write(LcrH, 4, Fen);
        Assert.Equal((FrIdle, Rt), (_uart.Read(Fr, 4), _uart.Read(Ris, 4)));
        Assert.Equal('b', (char)_uart.Read(Dr, 4));
        Assert.Equal((FrIdle | Rxfe, 0ul), (_uart.Read(Fr, 4), _uart.Read(Ris, 4)));
    }

    [Fact]
    public void Clears_receive_interrupts_until_the_FIFO_changes()
    {
        _uart.Write(LcrH, 4, Fen);
        _uart.Write(Imsc, 4, Rx | Rt);
        _uart.Receive("abc"u8);
        Assert.Equal(Rt, _uart.Read(Mis, 4));
        _uart.Write(Icr, 4, 0x7ff);
        Assert.Equal(0ul, _uart.Read(Ris, 4));
        _uart.Receive("d"u8);
        Assert.Equal(Rt, _uart.Read(Mis, 4));
        _uart.Write(Icr, 4, Rt);
        _uart.Read(Dr, 4);
        Assert.Equal(Rt, _uart.Read(Mis, 4));
        Assert.Equal([true, false, true, false, true], _line);
    }

    [Fact]
    public void Keeps_what_the_FIFO_has_no_room_for_and_counts_what_the_queue_has_none_for()
    {
        _uart.Write(LcrH, 4, Fen);
        var typed = new byte[Pl011.Capacity + 3];
        new Random(1).NextBytes(typed);
        _uart.Receive(typed.AsSpan(0, 1000));
        _uart.Receive(typed.AsSpan(1000));
        Assert.Equal(3, _uart.Dropped);
        Assert.Equal(FrIdle | Rxff, _uart.Read(Fr, 4));
        Assert.Equal(typed[..^3], ReadAll());
        _uart.Receive(typed);
        Assert.Equal(6, _uart.Dropped);
        Assert.Equal(typed[..^3], ReadAll());
    }

    [Fact]
    public void Empties_its_FIFO_at_a_reset_and_not_what_is_still_on_its_way()
    {
        _uart.Write(LcrH, 4, Fen);
        _uart.Receive("0123456789abcdefghi"u8);
        _uart.Reset();
        Assert.Equal((FrIdle | Rxff, Rx | Rt), (_uart.Read(Fr, 4), _uart.Read(Ris, 4)));
        Assert.Equal("ghi"u8, ReadAll());
    }

    [Fact]
    public void Works_as_the_driver_of_Linux_uses_it()
    {
        // Typed ahead of the driver.
        _uart.Receive("0123456789abcdef0123456789abcdef"u8);
        _uart.Receive("typed"u8);

        // pl011_startup: clear, mask, enable, clear, drain twice a FIFO, unmask.
        _uart.Write(Icr, 4, 0x7f0);
        _uart.Write(Imsc, 4, Rt | Rx);
        _uart.Write(LcrH, 4, 0x70);
        _uart.Write(Ifls, 4, 0x12);
        _uart.Write(Cr, 4, 0x301);
        _uart.Write(Icr, 4, Rt | Rx);
        for (var i = 0; i < 32 && (_uart.Read(Fr, 4) & Rxfe) == 0; i++)
        {
            _uart.Read(Dr, 4);
        }
        _uart.Write(Imsc, 4, Rt | Rx);
        Assert.True(_line[^1]);
        Assert.Equal("typed"u8, Interrupted());
        Assert.False(_line[^1]);

        // A key at a time, then more at once than the FIFO holds.
        _uart.Receive("x"u8);
        Assert.True(_line[^1]);
        Assert.Equal("x"u8, Interrupted());
        var pasted = new byte[5000];
        new Random(2).NextBytes(pasted);
        _uart.Receive(pasted);
        Assert.Equal(pasted, Interrupted());
        Assert.False(_line[^1]);

        // pl011_start_tx: write while there is room, unmask if something is left, feed from the interrupt, mask.
        var text = new byte[100];
        new Random(3).NextBytes(text);
        var next = 0;
        while (next < 20 && (_uart.Read(Fr, 4) & 0x20) == 0)
        {
            _uart.Write(Dr, 2, text[next++]);
        }
        _uart.Write(Imsc, 4, Rt | Rx | Tx);
        while (_line[^1])
        {
            Assert.Equal(Tx, _uart.Read(Ris, 4) & (Rt | Rx | Tx));
            _uart.Write(Icr, 4, 0);
            for (var i = 0; i < 8 && next < text.Length; i++)
            {
                _uart.Write(Dr, 2, text[next++]);
            }
            if (next == text.Length)
            {
                _uart.Write(Imsc, 4, Rt | Rx);
            }
        }
        Assert.Equal(text, _sent);
        // pl011_tx_empty: neither BUSY nor TXFF.
        Assert.Equal(0ul, _uart.Read(Fr, 4) & 0x28);

        byte[] Interrupted()
        {
            var read = new List<byte>();
            while (_line[^1])
            {
                Assert.NotEqual(0ul, _uart.Read(Ris, 4) & (Rt | Rx));
                // pl011_fifo_to_tty gives up after 256 bytes.
                for (var i = 0; i < 256 && (_uart.Read(Fr, 4) & Rxfe) == 0; i++)
                {
                    read.Add((byte)_uart.Read(Dr, 2));
                }
            }
            return [.. read];
        }
    }

    private byte[] ReadAll()
    {
        var read = new List<byte>();
        while ((_uart.Read(Fr, 4) & Rxfe) == 0)
        {
            read.Add((byte)_uart.Read(Dr, 4));
        }
        return [.. read];
    }
}

using static Hypercalls.Kvm.Devices.Pl011Register;

namespace Hypercalls.Kvm.Devices;

/// <summary>A UART for a guest's console (DDI 0183, PrimeCell UART (PL011), Programmers Model).</summary>
/// <remarks>
/// Transmits and receives whether or not CR enables it, so that a guest that only writes DR is heard, and in no time: the transmit FIFO is
/// always empty. Loopback, DMA, baud rates, breaks and line errors have no effect. Modem inputs are those of a terminal that is always there.
/// </remarks>
internal sealed class Pl011 : IMmioDevice
{
    /// <summary>Of the guest's address space.</summary>
    public const ulong Size = 0x1000;

    /// <summary>Bytes received that wait for the guest, those in the FIFO among them.</summary>
    public const int Capacity = 64 << 10;

    private const int FifoDepth = 16;

    // FR.
    private const uint TransmitEmpty = 1 << 7;
    private const uint ReceiveFull = 1 << 6;
    private const uint ReceiveEmpty = 1 << 4;
    private const uint DcdDsrCts = 7;

    // LCR_H.
    private const uint FifosEnabled = 1 << 4;

    // IMSC, RIS, MIS, ICR.
    private const uint ReceiveTimeout = 1 << 6;
    private const uint Transmit = 1 << 5;
    private const uint Receiving = 1 << 4;

    private readonly Action<ReadOnlySpan<byte>> _output;
    private readonly Action<bool> _interrupt;
    private readonly ReceiveQueue _received = new(Capacity);
    private readonly Lock _sending = new();
    private readonly Lock _lock = new();
    private uint _ilpr;
    private uint _ibrd;
    private uint _fbrd;
    private uint _lcrH;
    private uint _cr;
    private uint _ifls;
    private uint _imsc;
    private uint _ris;
    private uint _dmacr;
    private bool _level;
    private long _dropped;

    /// <summary>A UART as after power-on.</summary>
    /// <param name="output">Takes what the guest sends, from one thread at a time. While it does not return, the sending vCPU waits, and nothing else does.</param>
    /// <param name="interrupt">UARTINTR, called when it changes, under the device's lock so that the last call is the line's state: it must not wait for a thread that calls the device.</param>
    public Pl011(Action<ReadOnlySpan<byte>> output, Action<bool> interrupt)
    {
        (_output, _interrupt) = (output, interrupt);
        SetDefaults();
    }

    /// <summary>Bytes for which <see cref="Receive"/> had no room.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    private int Depth => (_lcrH & FifosEnabled) != 0 ? FifoDepth : 1;

    // The FIFO is the head of the queue: it is refilled as it is read, and an overrun cannot be.
    private int Level => Math.Min(_received.Count, Depth);

    // RXIFLSEL: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO; the rest is reserved.
    private int Trigger => (_lcrH & FifosEnabled) == 0 ? 1 : (_ifls >> 3 & 7) switch { 0 => 2, 1 => 4, 2 => 8, 3 => 12, _ => 14 };

    /// <summary>What was typed: the guest gets it as it reads, and what finds no room is dropped and counted.</summary>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            var taken = _received.Add(bytes);
            Interlocked.Add(ref _dropped, bytes.Length - taken);
            if (taken != 0)
            {
                Received();
            }
        }
    }

    /// <summary>Power-on values. The FIFO is emptied; what waits behind it is still on its way, and comes in.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            _received.Drop(Level);
            SetDefaults();
            Received();
        }
    }

    public ulong Read(ulong offset, int size)
    {
        lock (_lock)
        {
            return offset switch
            {
                Dr => ReadData(),
                Fr => TransmitEmpty | DcdDsrCts | (_received.Count == 0 ? ReceiveEmpty : 0) | (Level == Depth ? ReceiveFull : 0),
                Ilpr => _ilpr,
                Ibrd => _ibrd,
                Fbrd => _fbrd,
                LcrH => _lcrH,
                Cr => _cr,
                Ifls => _ifls,
                Imsc => _imsc,
                Ris => _ris,
                Mis => _ris & _imsc,
                Dmacr => _dmacr,
                >= PeriphId0 and < Size when offset % 4 == 0 => Identification[(int)(offset - PeriphId0) / 4],
                _ => 0,
            };
        }
    }

    public void Write(ulong offset, int size, ulong value)
    {
        if (offset == Dr)
        {
            Send((byte)value);
            return;
        }
        lock (_lock)
        {
            switch (offset)
            {
                case Ilpr: _ilpr = (uint)value & 0xff; break;
                case Ibrd: _ibrd = (uint)value & 0xffff; break;
                case Fbrd: _fbrd = (uint)value & 0x3f; break;
                case LcrH: _lcrH = (uint)value & 0xff; Received(); break;
                case Cr: _cr = (uint)value & 0xff87; break;
                case Ifls: _ifls = (uint)value & 0x3f; Received(); break;
                case Imsc: _imsc = (uint)value & 0x7ff; SetLevel(); break;
                case Icr: _ris &= ~(uint)value; SetLevel(); break;
                case Dmacr: _dmacr = (uint)value & 7; break;
            }
        }
    }

    private void Send(byte value)
    {
        lock (_sending)
        {
            _output(new(in value));
        }
        lock (_lock)
        {
            // The FIFO has drained through its trigger level. Nothing else raises the interrupt: enabling it with an empty FIFO does not (UARTTXINTR).
            _ris |= Transmit;
            SetLevel();
        }
    }

    private uint ReadData()
    {
        if (_received.Count == 0)
        {
            return 0;
        }
        var value = _received.Take();
        Received();
        return value;
    }

    // After any change of what the FIFO holds. Whatever waits has waited for longer than the 32 bits of the receive timeout.
    private void Received()
    {
        _ris &= ~(Receiving | ReceiveTimeout);
        _ris |= (Level >= Trigger ? Receiving : 0) | (Level > 0 ? ReceiveTimeout : 0);
        SetLevel();
    }

    private void SetLevel()
    {
        var level = (_ris & _imsc) != 0;
        if (level != _level)
        {
            _level = level;
            _interrupt(level);
        }
    }

    private void SetDefaults()
    {
        _ilpr = _ibrd = _fbrd = _lcrH = _imsc = _ris = _dmacr = 0;
        _cr = 0x300;
        _ifls = 0x12;
    }
}

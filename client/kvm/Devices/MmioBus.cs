using System.Buffers.Binary;

namespace Hypercalls.Kvm.Devices;

/// <summary>Where a device is.</summary>
internal readonly record struct MmioRegion(ulong Base, ulong Size, IMmioDevice Device);

/// <summary>Finds the device that a guest's access is for (Linux, Documentation/virt/kvm/api.rst, KVM_EXIT_MMIO).</summary>
internal sealed class MmioBus
{
    private const int Remembered = 8;

    private readonly MmioRegion[] _devices;
    private readonly Lock _lock = new();
    private readonly ulong[] _unserved = new ulong[Remembered];
    private int _unservedCount;
    private long _unservedAccesses;

    /// <summary>Throws <see cref="ArgumentException"/> where two overlap, or one is empty or reaches beyond the address space.</summary>
    public MmioBus(params ReadOnlySpan<MmioRegion> devices)
    {
        _devices = devices.ToArray();
        Array.Sort(_devices, (left, right) => left.Base.CompareTo(right.Base));
        for (var i = 0; i < _devices.Length; i++)
        {
            var (start, size, _) = _devices[i];
            var end = i + 1 < _devices.Length ? _devices[i + 1].Base : ulong.MaxValue;
            if (size == 0 || size > end - start)
            {
                throw new ArgumentException($"The device at 0x{start:x} of 0x{size:x} bytes is empty, overlaps the next one, or reaches beyond the address space.", nameof(devices));
            }
        }
    }

    /// <summary>Accesses that no device served: reads found zero, writes went nowhere.</summary>
    public long UnservedAccesses => Interlocked.Read(ref _unservedAccesses);

    /// <summary>Where the first of them went: up to eight addresses, each once.</summary>
    public IReadOnlyList<ulong> UnservedAddresses
    {
        get
        {
            lock (_lock)
            {
                return _unserved.AsSpan(0, _unservedCount).ToArray();
            }
        }
    }

    /// <summary>A guest's read. False for a length that no access has, or more than the data hold.</summary>
    /// <param name="address">kvm_run.mmio.phys_addr.</param>
    /// <param name="length">kvm_run.mmio.len.</param>
    /// <param name="data">kvm_run.mmio.data: little-endian, of which the first bytes are written.</param>
    public bool TryRead(ulong address, uint length, Span<byte> data)
    {
        if (!IsLength(length, data.Length))
        {
            return false;
        }
        var value = Find(address, length, out var offset)?.Read(offset, (int)length) ?? 0;
        switch (length)
        {
            case 1: data[0] = (byte)value; break;
            case 2: BinaryPrimitives.WriteUInt16LittleEndian(data, (ushort)value); break;
            case 4: BinaryPrimitives.WriteUInt32LittleEndian(data, (uint)value); break;
            default: BinaryPrimitives.WriteUInt64LittleEndian(data, value); break;
        }
        return true;
    }

    /// <summary>A guest's write; parameters and result as of <see cref="TryRead"/>.</summary>
    public bool TryWrite(ulong address, uint length, ReadOnlySpan<byte> data)
    {
        if (!IsLength(length, data.Length))
        {
            return false;
        }
        var value = length switch
        {
            1 => data[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(data),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(data),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(data),
        };
        Find(address, length, out var offset)?.Write(offset, (int)length, value);
        return true;
    }

    private static bool IsLength(uint length, int available) => length is 1 or 2 or 4 or 8 && length <= available;

    private IMmioDevice? Find(ulong address, uint length, out ulong offset)
    {
        foreach (var (start, size, device) in _devices)
        {
            offset = address - start;
            if (address >= start && offset < size && length <= size - offset)
            {
                return device;
            }
        }
        offset = 0;
        Interlocked.Increment(ref _unservedAccesses);
        lock (_lock)
        {
            if (_unservedCount < Remembered && !_unserved.AsSpan(0, _unservedCount).Contains(address))
            {
                _unserved[_unservedCount++] = address;
            }
        }
        return null;
    }
}

using System.Buffers.Binary;
using System.Globalization;
using Hypercalls.Kvm.Translation;

namespace Hypercalls.Tests.Client.Kvm.Translation;

/// <summary>A guest's memory in which only what was written is RAM.</summary>
internal sealed class SparseMemory : IPhysicalMemory
{
    private readonly Dictionary<ulong, byte> _bytes = [];

    public int Reads { get; private set; }

    /// <summary>"40000810=40010003 40010468=0": descriptors by address.</summary>
    public static SparseMemory Of(string descriptors, int size = 8, bool isBigEndian = false)
    {
        var memory = new SparseMemory();
        foreach (var pair in descriptors.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (address, value) = (Hex(pair.Split('=')[0]), Hex(pair.Split('=')[1]));
            memory.Write(address, value, size, isBigEndian);
        }
        return memory;
    }

    public void Write(ulong address, ulong value, int size, bool isBigEndian = false)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        var written = bytes[..size];
        if (isBigEndian)
        {
            written.Reverse();
        }
        Write(address, written);
    }

    public void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            _bytes[address++] = value;
        }
    }

    public bool TryRead(ulong address, Span<byte> into)
    {
        Reads++;
        for (var i = 0; i < into.Length; i++)
        {
            if (!_bytes.TryGetValue(address + (ulong)i, out into[i]))
            {
                return false;
            }
        }
        return true;
    }

    private static ulong Hex(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

using System.Text;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit;

/// <summary>Guest memory of a <see cref="TestMachine"/>: zero until it is written, by the test or by answers.</summary>
public sealed class TestMemory
{
    private const int PageSize = 4096;

    private readonly Dictionary<ulong, byte[]> _pages = [];
    private readonly Func<MachineDescription> _machine;

    internal TestMemory(Func<MachineDescription> machine) => _machine = machine;

    /// <summary>Reads.</summary>
    /// <param name="address">A guest physical address.</param>
    /// <param name="size">In bytes.</param>
    /// <returns>A copy.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It is not all RAM of the machine.</exception>
    public byte[] Read(ulong address, int size)
    {
        Check(address, size);
        var bytes = new byte[size];
        for (var i = 0; i < size; i++)
        {
            var at = address + (ulong)i;
            bytes[i] = _pages.TryGetValue(at / PageSize, out var page) ? page[at % PageSize] : (byte)0;
        }

        return bytes;
    }

    /// <summary>Writes.</summary>
    /// <param name="address">A guest physical address.</param>
    /// <param name="bytes">What is to stand there.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not all RAM of the machine.</exception>
    public void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        Check(address, bytes.Length);
        for (var i = 0; i < bytes.Length; i++)
        {
            var at = address + (ulong)i;
            if (!_pages.TryGetValue(at / PageSize, out var page))
            {
                _pages[at / PageSize] = page = new byte[PageSize];
            }

            page[at % PageSize] = bytes[i];
        }
    }

    /// <summary>Writes a text as UTF-8, without an end.</summary>
    /// <param name="address">A guest physical address.</param>
    /// <param name="text">What is to stand there.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is not all RAM of the machine.</exception>
    public void Write(ulong address, string text) => Write(address, Encoding.UTF8.GetBytes(text));

    private void Check(ulong address, int size)
    {
        if (size < 0 || (size > 0 && (_machine().RamAt(address) is not { } ram || (ulong)size > ram.Size - (address - ram.Base))))
        {
            throw new ArgumentOutOfRangeException(nameof(address), $"{size} bytes at 0x{address:x} are not all RAM of {_machine().Name}.");
        }
    }
}

using System.Runtime.InteropServices;

namespace Hypercalls.Kvm.Native;

/// <summary>Anonymous memory of this process.</summary>
internal sealed unsafe class LinuxMemory : IKernelMemory
{
    private byte* _start;

    public LinuxMemory(ulong size)
    {
        _start = LinuxCalls.Map(size, LinuxCalls.ProtectReadWrite, LinuxCalls.MapPrivate | LinuxCalls.MapAnonymous | LinuxCalls.MapNoReserve, descriptor: -1);
        if (_start is null)
        {
            throw new IOException($"{size >> 20} MiB cannot be mapped: {Errno.Text(Marshal.GetLastPInvokeError())}.");
        }
        Size = size;
    }

    public ulong Address => (ulong)_start;

    public ulong Size { get; }

    public void Read(ulong offset, Span<byte> into) => new ReadOnlySpan<byte>(At(offset, into.Length), into.Length).CopyTo(into);

    public void Write(ulong offset, ReadOnlySpan<byte> bytes) => bytes.CopyTo(new(At(offset, bytes.Length), bytes.Length));

    public void Clear()
    {
        if (LinuxCalls.Advise(_start, Size, LinuxCalls.DontNeed) < 0)
        {
            NativeMemory.Clear(_start, (nuint)Size);
        }
    }

    public void Dispose()
    {
        if (_start is not null)
        {
            LinuxCalls.Unmap(_start, Size);
            _start = null;
        }
    }

    private byte* At(ulong offset, int length)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        return offset <= Size && (ulong)length <= Size - offset
            ? _start + offset
            : throw new ArgumentOutOfRangeException(nameof(offset), $"0x{offset:x}+{length} is beyond {Size} bytes.");
    }
}

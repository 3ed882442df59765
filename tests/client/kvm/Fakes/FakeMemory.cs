using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>Memory of this process, zero at first; a use after its end is remembered.</summary>
internal sealed class FakeMemory(FakeKvm kvm, ulong size) : IKernelMemory
{
    private readonly LinuxMemory _memory = new(size);
    private bool _isMapped = true;

    public ulong Address => Checked().Address;

    public ulong Size => size;

    /// <summary>Times that all of it was zeroed.</summary>
    public int Clears { get; private set; }

    public void Read(ulong offset, Span<byte> into) => Checked().Read(offset, into);

    public void Write(ulong offset, ReadOnlySpan<byte> bytes) => Checked().Write(offset, bytes);

    public void Clear()
    {
        Checked().Clear();
        Clears++;
    }

    public void Dispose()
    {
        if (_isMapped)
        {
            _isMapped = false;
            kvm.Unmapped();
            _memory.Dispose();
        }
    }

    private LinuxMemory Checked()
    {
        if (!_isMapped)
        {
            kvm.Violation("memory is used after it was unmapped");
        }
        return _memory;
    }
}

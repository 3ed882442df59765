using Hypercalls.Hosts;
using Hypercalls.Kvm.Native;
using Hypercalls.Kvm.Translation;

namespace Hypercalls.Kvm.Vcpus;

/// <summary>The guest's RAM.</summary>
internal sealed class KvmRam(IKernelMemory memory) : IGuestMemory, IPhysicalMemory, IDisposable
{
    public const ulong Base = 0x4000_0000;

    public IKernelMemory Memory => memory;

    public ulong Size => memory.Size;

    public ulong End => Base + Size;

    public bool IsGuestMemory(ulong address, ulong length) => address >= Base && address <= End && length <= End - address;

    public void Read(ulong address, Span<byte> into) => memory.Read(address - Base, into);

    public void Write(ulong address, ReadOnlySpan<byte> bytes) => memory.Write(address - Base, bytes);

    public bool TryRead(ulong address, Span<byte> into)
    {
        var isThere = IsGuestMemory(address, (ulong)into.Length);
        if (isThere)
        {
            Read(address, into);
        }
        return isThere;
    }

    public void Dispose() => memory.Dispose();
}

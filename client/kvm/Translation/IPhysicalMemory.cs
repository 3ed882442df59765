namespace Hypercalls.Kvm.Translation;

/// <summary>Memory of a guest by guest physical address.</summary>
internal interface IPhysicalMemory
{
    /// <summary>False where not all of the bytes lie in the guest's RAM; never throws, whatever the address.</summary>
    bool TryRead(ulong address, Span<byte> into);
}

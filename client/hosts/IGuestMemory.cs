namespace Hypercalls.Hosts;

/// <summary>The RAM that is the guest's, by guest-physical addresses.</summary>
internal interface IGuestMemory
{
    /// <summary>True when the whole range is the guest's.</summary>
    bool IsGuestMemory(ulong address, ulong length);

    /// <summary>The caller has checked the range; one outside RAM throws <see cref="ArgumentOutOfRangeException"/>.</summary>
    void Read(ulong address, Span<byte> into);

    void Write(ulong address, ReadOnlySpan<byte> bytes);
}

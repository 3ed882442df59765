namespace Hypercalls.Kvm.Devices;

/// <summary>A device in a guest's physical address space. Any vCPU's thread calls it, several at once; nothing a guest does makes it throw.</summary>
internal interface IMmioDevice
{
    /// <summary>Where nothing is, zero.</summary>
    /// <param name="offset">From the device's base.</param>
    /// <param name="size">1, 2, 4 or 8 bytes.</param>
    ulong Read(ulong offset, int size);

    void Write(ulong offset, int size, ulong value);
}

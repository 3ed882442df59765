namespace Hypercalls.Tests.Client.Kvm;

/// <summary>Instructions and states of AArch64, of which tests make programs for bare vCPUs.</summary>
internal static class A64
{
    public const uint Hvc = 0xd400_0002;
    public const uint Smc = 0xd400_0003;
    public const uint Nop = 0xd503_201f;
    public const uint Loop = 0x1400_0000; // b .
    public const uint LoadX3 = 0xf940_0083; // ldr x3, [x4]
    public const uint StoreX3 = 0xf900_0083; // str x3, [x4]

    /// <summary>PSTATE: EL1h, all that can be masked masked.</summary>
    public const ulong El1h = 0x3c5;
}

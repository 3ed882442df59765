namespace Hypercalls.Kvm.Interface;

/// <summary>Registers of KVM_GET_ONE_REG (Linux, Documentation/virt/kvm/api.rst, 4.68; arch/arm64/include/uapi/asm/kvm.h): 64 bits each.</summary>
internal static class KvmRegisterId
{
    public const ulong Pc = Core | 0x40;
    public const ulong Pstate = Core | 0x42;
    public const ulong SpEl0 = Core | 0x3e;
    public const ulong SpEl1 = Core | 0x44;
    public const ulong ElrEl1 = Core | 0x46;
    public const ulong SpsrEl1 = Core | 0x48;

    // op0 << 14 | op1 << 11 | CRn << 7 | CRm << 3 | op2.
    public const ulong MidrEl1 = System | 0xc000;
    public const ulong MpidrEl1 = System | 0xc005;
    public const ulong IdAa64Pfr0El1 = System | 0xc020;
    public const ulong IdAa64Pfr1El1 = System | 0xc021;
    public const ulong IdAa64Dfr0El1 = System | 0xc028;
    public const ulong IdAa64Isar0El1 = System | 0xc030;
    public const ulong IdAa64Isar1El1 = System | 0xc031;
    public const ulong IdAa64Isar2El1 = System | 0xc032;
    public const ulong IdAa64Mmfr0El1 = System | 0xc038;
    public const ulong IdAa64Mmfr1El1 = System | 0xc039;
    public const ulong IdAa64Mmfr2El1 = System | 0xc03a;
    public const ulong SctlrEl1 = System | 0xc080;
    public const ulong Ttbr0El1 = System | 0xc100;
    public const ulong Ttbr1El1 = System | 0xc101;
    public const ulong TcrEl1 = System | 0xc102;
    public const ulong VbarEl1 = System | 0xc600;

    // Firmware pseudo-registers (Documentation/virt/kvm/arm/fw-pseudo-registers.rst).
    public const ulong PsciVersion = 0x6030_0000_0014_0000;
    public const ulong StdBitmap = 0x6030_0000_0016_0000;
    public const ulong StdHypBitmap = 0x6030_0000_0016_0001;
    public const ulong VendorHypBitmap = 0x6030_0000_0016_0002;
    public const ulong VendorHypBitmap2 = 0x6030_0000_0016_0003;

    private const ulong Core = 0x6030_0000_0010_0000;
    private const ulong System = 0x6030_0000_0013_0000;

    /// <summary>x0 to x30.</summary>
    public static ulong X(int n) => Core | (uint)(2 * n);
}

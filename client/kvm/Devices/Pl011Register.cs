namespace Hypercalls.Kvm.Devices;

/// <summary>Registers of a PL011 by their offset (DDI 0183, Register summary).</summary>
internal static class Pl011Register
{
    public const ulong Dr = 0x000;
    public const ulong RsrEcr = 0x004;
    public const ulong Fr = 0x018;
    public const ulong Ilpr = 0x020;
    public const ulong Ibrd = 0x024;
    public const ulong Fbrd = 0x028;
    public const ulong LcrH = 0x02c;
    public const ulong Cr = 0x030;
    public const ulong Ifls = 0x034;
    public const ulong Imsc = 0x038;
    public const ulong Ris = 0x03c;
    public const ulong Mis = 0x040;
    public const ulong Icr = 0x044;
    public const ulong Dmacr = 0x048;

    /// <summary>The first of PeriphID0–3 and PCellID0–3, one byte in each word up to the page's end.</summary>
    public const ulong PeriphId0 = 0xfe0;

    /// <summary>All eight. The revision is 1: FIFOs of 16 bytes, which grew to 32 with r1p5.</summary>
    public static ReadOnlySpan<byte> Identification => [0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1];
}

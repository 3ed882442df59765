using System.Buffers.Binary;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Vcpus;

/// <summary>The immediate of an AArch32 SMC: no syndrome has it, the instruction in the guest's memory does (DDI 0487, SMC, encodings A1 and T1).</summary>
internal static class SmcImmediate
{
    private const ulong Failed = 1;
    private const ulong PageFrame = 0x000f_ffff_ffff_f000;
    private const ulong Thumb = 1 << 5;

    /// <summary>Reads it where the monitor could translate the instruction's address; null where it cannot be known.</summary>
    public static uint? Read(MonitorExit exit, GuestRam ram)
    {
        var address = (exit.Detail & PageFrame) | ((exit.Registers.Pc - 4) & 0xfff);
        var isThumb = (exit.Registers.Pstate & Thumb) != 0;
        // Of a T32 instruction the first half is enough: the second may lie in another page.
        var length = isThumb ? sizeof(ushort) : sizeof(uint);
        if ((exit.Detail & Failed) != 0 || !ram.IsGuestMemory(address, (ulong)length))
        {
            return null;
        }
        var code = ram.Slice(address, length);
        return isThumb
            ? OfT32(BinaryPrimitives.ReadUInt16LittleEndian(code))
            : OfA32(BinaryPrimitives.ReadUInt32LittleEndian(code));
    }

    // Anything else there has been written since: instructions are not read and executed at once.
    private static uint? OfA32(uint opcode) => (opcode & 0x0fff_fff0) == 0x0160_0070 ? opcode & 0xf : null;

    private static uint? OfT32(ushort firstHalf) => (firstHalf & 0xfff0) == 0xf7f0 ? firstHalf & 0xfu : null;
}

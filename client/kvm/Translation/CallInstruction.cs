using System.Buffers.Binary;
using System.Numerics;
using Hypercalls.Protos;

namespace Hypercalls.Kvm.Translation;

/// <summary>The HVC or SMC in front of a PC: KVM tells neither its immediate nor its condition (DDI 0487, HVC; SMC).</summary>
/// <param name="Conduit">Which of the two.</param>
/// <param name="Immediate">16 bits; 4 of an AArch32 SMC.</param>
/// <param name="Condition">As an A32 instruction has it, 14 for always. Null for a T32 SMC that may be the last of an IT block: the state that told its condition is over.</param>
internal readonly record struct CallInstruction(Conduit Conduit, ushort Immediate, uint? Condition)
{
    /// <summary>Bytes in front of the PC that may matter: a T32 call, and the IT with three instructions in front of it.</summary>
    public const int Reach = 4 + 3 * 4 + 2;

    private const int Size = 4;
    private const uint Always = 14;
    private const uint Unconditional = 15;
    private const ulong AArch32 = 1 << 4;
    private const ulong Thumb = 1 << 5;
    private const ulong ItState = 0x3ul << 25 | 0x3ful << 10;

    /// <summary>Reads and decodes it; false where it cannot be read or is something else by now.</summary>
    public static bool TryFind(in TranslationRegisters registers, ulong pc, ulong pstate, IPhysicalMemory memory, out CallInstruction call)
    {
        const ulong inPage = 0xfff;
        Span<byte> code = stackalloc byte[Reach];
        var wanted = (int)Math.Min(IsThumb(pstate) ? (ulong)Reach : Size, pc);
        var known = 0;
        while (known < wanted)
        {
            // Two pages need not be neighbours in physical memory.
            var end = pc - (ulong)known;
            var length = (int)Math.Min((ulong)(wanted - known), (end - 1 & inPage) + 1);
            if (Stage1Walk.Find(registers, end - (ulong)length, memory) is not { } physical
                || !memory.TryRead(physical, code.Slice(Reach - known - length, length)))
            {
                break;
            }
            known += length;
        }
        return TryDecode(code[^known..], pstate, out call);
    }

    /// <summary>Decodes the last of the instructions given.</summary>
    /// <param name="code">Ends where the PC is; the call's own 4 bytes at least, <see cref="Reach"/> to know a T32 SMC's condition. Instructions are little-endian, whatever data are.</param>
    /// <param name="pstate">When the call was made, with the IT state already advanced.</param>
    /// <param name="call">What it is.</param>
    public static bool TryDecode(ReadOnlySpan<byte> code, ulong pstate, out CallInstruction call)
    {
        call = default;
        if (code.Length < Size)
        {
            return false;
        }
        var last = code[^Size..];
        return IsThumb(pstate) ? TryT32(code[..^Size], last, pstate, out call)
            : (pstate & AArch32) != 0 ? TryA32(BinaryPrimitives.ReadUInt32LittleEndian(last), out call)
            : TryA64(BinaryPrimitives.ReadUInt32LittleEndian(last), out call);
    }

    private static bool IsThumb(ulong pstate) => (pstate & (AArch32 | Thumb)) == (AArch32 | Thumb);

    private static bool TryA64(uint opcode, out CallInstruction call)
    {
        var conduit = (opcode & 0xffe0_001f) switch
        {
            0xd400_0002 => Conduit.Hvc,
            0xd400_0003 => Conduit.Smc,
            _ => Conduit.Unspecified,
        };
        call = new(conduit, (ushort)(opcode >> 5), Always);
        return conduit != Conduit.Unspecified;
    }

    private static bool TryA32(uint opcode, out CallInstruction call)
    {
        call = default;
        var condition = opcode >> 28;
        if (condition == Unconditional)
        {
            return false;
        }
        if ((opcode & 0x0ff0_00f0) == 0x0140_0070)
        {
            // HVC has no condition: one that is not "always" is unpredictable, and this one has been executed.
            call = new(Conduit.Hvc, (ushort)(opcode >> 4 & 0xfff0 | opcode & 0xf), Always);
            return true;
        }
        call = new(Conduit.Smc, (ushort)(opcode & 0xf), condition);
        return (opcode & 0x0fff_fff0) == 0x0160_0070;
    }

    private static bool TryT32(ReadOnlySpan<byte> before, ReadOnlySpan<byte> last, ulong pstate, out CallInstruction call)
    {
        var (first, second) = (BinaryPrimitives.ReadUInt16LittleEndian(last), BinaryPrimitives.ReadUInt16LittleEndian(last[2..]));
        if ((first & 0xfff0) == 0xf7e0 && (second & 0xf000) == 0x8000)
        {
            call = new(Conduit.Hvc, (ushort)(first << 12 | second & 0xfff), Always);
            return true;
        }
        // In the midst of an IT block an SMC is unpredictable.
        var isFree = (pstate & ItState) == 0 && IsOutsideOfBlocks(before);
        call = new(Conduit.Smc, (ushort)(first & 0xf), isFree ? Always : null);
        return (first & 0xfff0) == 0xf7f0 && second == 0x8000;
    }

    // No IT in front whose block would reach to the call. Where there is one, the halfword may as well be data, or the second of an instruction: it proves nothing.
    private static bool IsOutsideOfBlocks(ReadOnlySpan<byte> before)
    {
        const int reach = (Reach - Size) / sizeof(ushort);
        var count = before.Length / sizeof(ushort);
        if (count < reach)
        {
            return false;
        }
        before = before[^(reach * sizeof(ushort))..];
        for (var at = 0; at < reach; at++)
        {
            var it = Halfword(before, at);
            if ((it & 0xff00) != 0xbf00 || (it & 0xf) == 0)
            {
                continue;
            }
            var next = at + 1;
            for (var others = 3 - BitOperations.TrailingZeroCount((uint)it); others > 0 && next < reach; others--)
            {
                next += Halfword(before, next) >= 0xe800 ? 2 : 1;
            }
            if (next == reach)
            {
                return false;
            }
        }
        return true;
    }

    private static ushort Halfword(ReadOnlySpan<byte> code, int index) => BinaryPrimitives.ReadUInt16LittleEndian(code[(index * sizeof(ushort))..]);
}

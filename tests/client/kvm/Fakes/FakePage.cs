using System.Buffers.Binary;
using Hypercalls.Kvm.Interface;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>Writes exits as Linux lays them out in kvm_run (include/uapi/linux/kvm.h). What the kernel leaves unwritten holds rubbish here.</summary>
internal static class FakePage
{
    private const int ExitReasonAt = 8;
    private const int FlagsAt = 14;
    private const int Union = 32;
    private const byte Rubbish = 0xa5;

    public static void Interrupted(Span<byte> page) => Begin(page, 10);

    /// <summary>nr, six zero arguments, a zero result, flags.</summary>
    public static void Hypercall(Span<byte> page, uint function, bool isSmc)
    {
        Begin(page, 3);
        page[Union..96].Clear();
        Long(page, Union, function);
        Long(page, 96, isSmc ? 1ul : 0);
    }

    public static void Mmio(Span<byte> page, ulong address, uint length, bool isWrite, ulong data)
    {
        Begin(page, 6);
        Long(page, Union, address);
        Long(page, 40, data);
        Word(page, 48, length);
        page[52] = isWrite ? (byte)1 : (byte)0;
    }

    public static void SystemEvent(Span<byte> page, uint type, ReadOnlySpan<ulong> data)
    {
        Begin(page, 24);
        Word(page, Union, type);
        Word(page, 36, (uint)data.Length);
        Longs(page, 40, data);
    }

    public static void Debug(Span<byte> page, uint hsr, uint? hsrHigh, ulong far)
    {
        Begin(page, 4);
        Word(page, Union, hsr);
        if (hsrHigh is { } high)
        {
            Word(page, 36, high);
        }
        Long(page, 40, far);
        BinaryPrimitives.WriteUInt16LittleEndian(page[FlagsAt..], hsrHigh is null ? (ushort)0 : (ushort)1);
    }

    /// <summary>suberror, ndata, data.</summary>
    public static void InternalError(Span<byte> page, uint suberror, ReadOnlySpan<ulong> data)
    {
        Begin(page, 17);
        Word(page, Union, suberror);
        Word(page, 36, (uint)data.Length);
        Longs(page, 40, data);
    }

    /// <summary>An exit whose union is some words.</summary>
    public static void Words(Span<byte> page, uint reason, ReadOnlySpan<ulong> words)
    {
        Begin(page, reason);
        Longs(page, Union, words);
    }

    private static void Begin(Span<byte> page, uint reason)
    {
        page[Union..RunPage.Size].Fill(Rubbish);
        Word(page, ExitReasonAt, reason);
        BinaryPrimitives.WriteUInt16LittleEndian(page[FlagsAt..], 0);
    }

    private static void Word(Span<byte> page, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page[offset..], value);

    private static void Long(Span<byte> page, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(page[offset..], value);

    private static void Longs(Span<byte> page, int offset, ReadOnlySpan<ulong> values)
    {
        foreach (var value in values)
        {
            Long(page, offset, value);
            offset += sizeof(ulong);
        }
    }
}

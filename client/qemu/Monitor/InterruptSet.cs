using System.Numerics;
using System.Runtime.CompilerServices;

namespace Hypercalls.Qemu.Monitor;

/// <summary>A set of interrupts in a vCPU's mailbox page. All of it is the guest's to forge.</summary>
internal sealed unsafe class InterruptSet(GuestRam ram, int number, int offset)
{
    private const int WordBits = 64;
    private const int Words = MailboxLayout.InterruptSet / 8;

    private readonly byte* _set = ram.At(ram.MailboxArea + (ulong)(MailboxLayout.Pages + (number * MailboxLayout.PageSize) + offset), MailboxLayout.InterruptSet);

    /// <summary>The lowest of those that there can be; null where there is none.</summary>
    public uint? First
    {
        get
        {
            for (var index = 0; index < Words; index++)
            {
                var word = Volatile.Read(ref Word(index));
                for (; word != 0; word &= word - 1)
                {
                    var intid = (uint)((index * WordBits) + BitOperations.TrailingZeroCount(word));
                    if (OfferedInterrupts.Contain(intid))
                    {
                        return intid;
                    }
                }
            }
            return null;
        }
    }

    /// <summary>The caller has checked that it can be; one that no set holds throws.</summary>
    public void Add(uint intid) => WordOf(intid) |= Bit(intid);

    /// <summary>As <see cref="Add(uint)"/>.</summary>
    public void Remove(uint intid) => WordOf(intid) &= ~Bit(intid);

    /// <summary>Empties it but for those that lie above the private ones.</summary>
    public void RemovePrivate() => Word(0) &= ~(ulong)uint.MaxValue;

    public void Become(IReadOnlyCollection<uint> interrupts)
    {
        new Span<ulong>(_set, Words).Clear();
        foreach (var intid in interrupts)
        {
            Add(intid);
        }
    }

    public void Add(InterruptSet other)
    {
        for (var index = 0; index < Words; index++)
        {
            Word(index) |= other.Word(index);
        }
    }

    public void Remove(InterruptSet other)
    {
        for (var index = 0; index < Words; index++)
        {
            Word(index) &= ~other.Word(index);
        }
    }

    /// <summary>Those of the other that are shared by all cores.</summary>
    public void RemoveShared(InterruptSet other)
    {
        Word(0) &= ~(other.Word(0) & ~(ulong)uint.MaxValue);
        for (var index = 1; index < Words; index++)
        {
            Word(index) &= ~other.Word(index);
        }
    }

    private ref ulong WordOf(uint intid)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(intid, (uint)MailboxLayout.InterruptSet * 8);
        return ref Word((int)(intid / WordBits));
    }

    private static ulong Bit(uint intid) => 1ul << (int)(intid % WordBits);

    private ref ulong Word(int index) => ref Unsafe.AsRef<ulong>(_set + (index * sizeof(ulong)));
}

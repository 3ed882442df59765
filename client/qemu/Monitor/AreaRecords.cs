using System.Runtime.CompilerServices;

namespace Hypercalls.Qemu.Monitor;

/// <summary>What is kept in the mailbox area for the host process after this one: the machine's token and the boot that was told. All of it is the guest's to forge.</summary>
internal sealed unsafe class AreaRecords(GuestRam ram)
{
    private readonly byte* _area = ram.At(ram.MailboxArea, MailboxLayout.Pages);

    /// <summary>Counted by the monitor.</summary>
    public uint Boot => Volatile.Read(ref Word(MailboxLayout.ConfigBoot));

    /// <summary>The last boot that the daemon was told of, 0 before the first.</summary>
    public uint ToldBoot
    {
        get => Volatile.Read(ref Word(MailboxLayout.ToldBoot));
        set => Volatile.Write(ref Word(MailboxLayout.ToldBoot), value);
    }

    /// <summary>What the daemon knows the machine by; empty while there is none.</summary>
    public ReadOnlySpan<byte> Token
    {
        get
        {
            var length = Volatile.Read(ref Word(MailboxLayout.TokenLength));
            return length <= MailboxLayout.TokenSize ? new(_area + MailboxLayout.Token, (int)length) : [];
        }
        set
        {
            if (value.SequenceEqual(Token))
            {
                return;
            }
            // A token of which only a part was written is none.
            Volatile.Write(ref Word(MailboxLayout.TokenLength), 0);
            Interlocked.MemoryBarrier();
            if (value.Length <= MailboxLayout.TokenSize)
            {
                value.CopyTo(new(_area + MailboxLayout.Token, MailboxLayout.TokenSize));
                Volatile.Write(ref Word(MailboxLayout.TokenLength), (uint)value.Length);
            }
        }
    }

    private ref uint Word(int offset) => ref Unsafe.AsRef<uint>(_area + offset);
}

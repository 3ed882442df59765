using System.Buffers.Binary;

namespace Hypercalls.Qemu.Monitor;

/// <summary>The EL3 monitor as QEMU's -bios takes it: monitor.bin with the mailbox area's address in its one literal.</summary>
internal static class MonitorImage
{
    public static byte[] For(ulong mailboxArea)
    {
        var image = Bytes();
        if (BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(MailboxLayout.ImageMagicOffset)) != MailboxLayout.ImageMagic)
        {
            throw new InvalidDataException("monitor.bin is not the monitor of this build.");
        }
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(MailboxLayout.ImageAreaOffset), mailboxArea);
        return image;
    }

    /// <summary>The file as it is checked in.</summary>
    public static byte[] Bytes()
    {
        using var resource = typeof(MonitorImage).Assembly.GetManifestResourceStream("monitor.bin")!;
        var image = new byte[resource.Length];
        resource.ReadExactly(image);
        return image;
    }
}

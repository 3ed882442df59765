using System.Buffers.Binary;
using System.IO.Compression;

namespace Hypercalls.Hosts.Loading;

/// <summary>A kernel and the place it wants (Linux, Booting AArch64 Linux, Call the kernel image; Booting ARM Linux, Calling the kernel image).</summary>
/// <param name="Bytes">The Image, decompressed, or the zImage, which decompresses itself.</param>
/// <param name="TextOffset">Distance of its first byte from <see cref="BootLayout.KernelOffset"/>.</param>
/// <param name="Size">Bytes of RAM it needs from there, its own and those behind that it clears.</param>
/// <param name="IsAArch32">The execution state it starts in.</param>
internal sealed record KernelImage(byte[] Bytes, ulong TextOffset, ulong Size, bool IsAArch32 = false)
{
    private const int HeaderSize = 64;
    private const uint Magic = 0x644d_5241; // "ARM\x64"
    private const ulong DefaultTextOffset = 0x80000;

    // What a raw image may use behind its end: the device tree goes above.
    private const ulong RawMargin = 16 << 20;

    /// <summary>Reads a kernel; most bounds what a compressed one may become.</summary>
    public static KernelImage Load(string path, bool raw, bool rawIsAArch32, ulong most)
    {
        var bytes = Read(path, "kernel", most);
        if (raw)
        {
            return new(bytes, 0, (ulong)bytes.Length + RawMargin, rawIsAArch32);
        }
        if (bytes is [0x1f, 0x8b, ..])
        {
            bytes = Decompress(path, bytes, most);
        }
        return TryParse(bytes, out var image, out var fault) ? image : throw new HostException($"{path} is neither an arm64 Image nor a zImage: {fault}.");
    }

    public static byte[] Read(string path, string what, ulong most)
    {
        try
        {
            var length = new FileInfo(path) is { Exists: true } file ? (ulong)file.Length : 0;
            return length <= most ? File.ReadAllBytes(path) : throw new HostException($"The {what} {path} has {length >> 20} MiB, more than the machine's RAM: give it more memory.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException($"The {what} {path} cannot be read: {e.Message}", e);
        }
    }

    public static bool TryParse(byte[] bytes, out KernelImage image, out string fault)
    {
        image = null!;
        fault = "it is too short";
        if (bytes.Length < HeaderSize)
        {
            return false;
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(56)) != Magic)
        {
            return ZImage.TryParse(bytes, out image, out fault);
        }
        var textOffset = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8));
        var size = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16));
        if ((BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(24)) & 1) != 0)
        {
            fault = "it is big-endian, which this host does not start";
            return false;
        }
        // Kernels before 3.17 leave the size zero, and then the offset is this one whatever the field says.
        if (size == 0)
        {
            textOffset = DefaultTextOffset;
            size = (ulong)bytes.Length + RawMargin;
        }
        if (textOffset >= BootLayout.Alignment || size > long.MaxValue)
        {
            fault = "its header asks for an impossible place";
            return false;
        }
        image = new(bytes, textOffset, Math.Max(size, (ulong)bytes.Length));
        return true;
    }

    private static byte[] Decompress(string path, byte[] compressed, ulong most)
    {
        var image = new MemoryStream();
        var block = new byte[1 << 16];
        try
        {
            using var gzip = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
            for (int count; (count = gzip.Read(block)) != 0;)
            {
                image.Write(block.AsSpan(0, count));
                if ((ulong)image.Length > most)
                {
                    throw new HostException($"The kernel {path} is larger than the machine's RAM when decompressed: give it more memory.");
                }
            }
        }
        catch (InvalidDataException e)
        {
            throw new HostException($"The kernel {path} cannot be decompressed: {e.Message}", e);
        }
        return image.ToArray();
    }
}

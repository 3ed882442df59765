using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Hypercalls.Sdk;

namespace Hypercalls.Acme;

/// <summary>The arithmetic of measurements: digests are SHA-256, in hexadecimal.</summary>
internal static class Measurement
{
    /// <summary>Of a digest, a nonce and a quote.</summary>
    public const int Bytes = SHA256.HashSizeInBytes;

    private const int RoundsAtOnce = 1000;

    /// <summary>What a slot holds after another measurement.</summary>
    public static string Extend(string digest, ReadOnlySpan<byte> measured) =>
        Convert.ToHexStringLower(SHA256.HashData([.. Convert.FromHexString(digest), .. SHA256.HashData(measured)]));

    /// <summary>A digest as four registers, its first byte lowest.</summary>
    public static ulong[] Words(string digest)
    {
        var bytes = Convert.FromHexString(digest);
        return [.. Enumerable.Range(0, 4).Select(n => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(8 * n)))];
    }

    /// <summary>All slots, bound to a nonce and to the key; slow on purpose.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits for it any longer.</exception>
    public static byte[] Quote(AcmeSettings settings, byte[] nonce, ValueArray<Slot> slots, CancellationToken cancelled)
    {
        var key = Encoding.UTF8.GetBytes(settings.Key);
        for (var left = settings.Rounds; left > 0; left -= RoundsAtOnce)
        {
            cancelled.ThrowIfCancellationRequested();
            key = Rfc2898DeriveBytes.Pbkdf2(key, nonce, Math.Min(left, RoundsAtOnce), HashAlgorithmName.SHA256, Bytes);
        }

        return HMACSHA256.HashData(key, (byte[])[.. nonce, .. slots.SelectMany(slot => Convert.FromHexString(slot.Digest))]);
    }
}

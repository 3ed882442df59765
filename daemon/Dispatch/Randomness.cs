using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Dispatch;

/// <summary>Random bits for calls, from the operating system's generator: fetched many at once, since each fetch costs more than a call, and forgotten as they are handed out.</summary>
internal static class Randomness
{
    private const int Fetched = 4096;

    [ThreadStatic]
    private static byte[]? s_bytes;

    [ThreadStatic]
    private static int s_left;

    public static RandomBits Next()
    {
        var bytes = s_bytes ??= new byte[Fetched];
        if (s_left == 0)
        {
            RandomNumberGenerator.Fill(bytes);
            s_left = Fetched;
        }

        var next = bytes.AsSpan(Fetched - s_left, Unsafe.SizeOf<RandomBits>());
        s_left -= next.Length;
        var bits = MemoryMarshal.Read<RandomBits>(next);
        next.Clear();
        return bits;
    }
}

using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>Metadata as HTTP headers: bytes in base64, the protocol's own names kept apart (gRPC over HTTP/2, Custom-Metadata).</summary>
public static class MetadataHeaders
{
    /// <summary>True for names that belong to HTTP or gRPC and not to the caller; grpc-…-bin is free for extensions.</summary>
    public static bool IsReserved(string name) =>
        name is "content-type" or "content-length" or "te" or "host" or "connection" or "keep-alive"
            or "proxy-connection" or "transfer-encoding" or "upgrade"
        || name.StartsWith(':')
        || (name.StartsWith("grpc-", StringComparison.Ordinal) && !IsBinary(name));

    /// <summary>The text that carries the value of an entry.</summary>
    /// <exception cref="ArgumentException">The name is reserved.</exception>
    public static string Encode(Metadata.Entry entry)
    {
        if (IsReserved(entry.Key))
        {
            throw new ArgumentException($"'{entry.Key}' is a name of the protocol and cannot be metadata.", nameof(entry));
        }

        return entry.IsBinary ? Convert.ToBase64String(entry.ValueBytes).TrimEnd('=') : entry.Value;
    }

    /// <summary>Takes a received header over; false where a name ends in -bin and the value is not base64. Reserved names, and what metadata cannot hold, are passed over.</summary>
    public static bool TryAdd(Metadata metadata, string name, string? value)
    {
        name = name.ToLowerInvariant();
        value ??= "";
        if (IsReserved(name) || name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
        {
            return true;
        }

        if (IsBinary(name))
        {
            return TryAddBytes(metadata, name, value);
        }

        if (!value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            metadata.Add(name, value);
        }

        return true;
    }

    private static bool IsBinary(string name) => name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal);

    // Several values may arrive joined by commas.
    private static bool TryAddBytes(Metadata metadata, string name, string value)
    {
        foreach (var part in value.Split(',', StringSplitOptions.TrimEntries))
        {
            var padded = part.PadRight((part.Length + 3) / 4 * 4, '=');
            var bytes = new byte[padded.Length / 4 * 3];
            if (!Convert.TryFromBase64String(padded, bytes, out var length))
            {
                return false;
            }

            metadata.Add(name, bytes[..length]);
        }

        return true;
    }
}

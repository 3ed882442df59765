using System.Globalization;
using System.Text;

namespace Hypercalls.Grpc;

/// <summary>The value of grpc-message: UTF-8, percent-encoded (gRPC over HTTP/2, Status-Message).</summary>
public static class GrpcMessage
{
    /// <summary>Longer sentences are cut, in encoded characters: a peer refuses responses with long headers as a whole.</summary>
    public const int LargestLength = 4096;

    /// <summary>Any text as printable ASCII.</summary>
    public static string Encode(string text)
    {
        var encoded = new StringBuilder(text.Length);
        var position = 0;
        Span<byte> bytes = stackalloc byte[4];
        Span<char> characters = stackalloc char[12];
        foreach (var rune in text.EnumerateRunes())
        {
            // A space at either end would be trimmed on the way.
            var plain = rune.Value is > ' ' and <= '~' and not '%'
                || (rune.Value == ' ' && position > 0 && position < text.Length - 1);
            position += rune.Utf16SequenceLength;
            var length = 0;
            if (plain)
            {
                characters[length++] = (char)rune.Value;
            }
            else
            {
                foreach (var value in bytes[..rune.EncodeToUtf8(bytes)])
                {
                    characters[length++] = '%';
                    value.TryFormat(characters[length..], out var written, "X2", CultureInfo.InvariantCulture);
                    length += written;
                }
            }

            if (encoded.Length + length > LargestLength)
            {
                break;
            }

            encoded.Append(characters[..length]);
        }

        return encoded.ToString();
    }

    /// <summary>The text again; what is not percent-encoded as it should be stays as it is.</summary>
    public static string Decode(string encoded)
    {
        if (!encoded.Contains('%', StringComparison.Ordinal))
        {
            return encoded;
        }

        var bytes = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] == '%'
                && i + 2 < encoded.Length
                && byte.TryParse(encoded.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes.Add(value);
                i += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(encoded, i, 1));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}

using System.Buffers;
using System.Text;

namespace Grpc.Core;

public sealed partial class Metadata
{
    /// <summary>One name with its value: text, or bytes where the name ends in -bin.</summary>
    public class Entry
    {
        private static readonly SearchValues<char> s_nameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_-.");

        private readonly string? _value;
        private readonly byte[]? _valueBytes;

        public Entry(string key, string value)
        {
            ArgumentNullException.ThrowIfNull(value);
            Key = NormalizeKey(key);
            if (IsBinary)
            {
                throw new ArgumentException($"'{Key}' ends in -bin and takes bytes.", nameof(key));
            }

            if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            {
                throw new ArgumentException($"The value of '{Key}' has a character that is not printable ASCII.", nameof(value));
            }

            _value = value;
        }

        public Entry(string key, byte[] valueBytes)
        {
            ArgumentNullException.ThrowIfNull(valueBytes);
            Key = NormalizeKey(key);
            if (!IsBinary)
            {
                throw new ArgumentException($"'{Key}' takes bytes only when it ends in -bin.", nameof(key));
            }

            _valueBytes = (byte[])valueBytes.Clone();
        }

        /// <summary>In lower case.</summary>
        public string Key { get; }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        public string Value => _value ?? throw new InvalidOperationException($"'{Key}' holds bytes.");

        public byte[] ValueBytes => _valueBytes is null ? Encoding.ASCII.GetBytes(_value!) : (byte[])_valueBytes.Clone();

        public override string ToString() =>
            _valueBytes is null ? $"[Entry: key={Key}, value={_value}]" : $"[Entry: key={Key}, valueBytes={Convert.ToHexString(_valueBytes)}]";

        private static string NormalizeKey(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            var lower = key.ToLowerInvariant();
            if (lower.Length == 0 || lower.AsSpan().ContainsAnyExcept(s_nameCharacters))
            {
                throw new ArgumentException($"'{key}' is no name of metadata: letters, digits, '_', '-' and '.' are.", nameof(key));
            }

            return lower;
        }
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace Hypercalls.Grpc;

/// <summary>Where a server listens: a Unix socket, or a TCP port in clear text or with TLS.</summary>
public sealed record GrpcAddress
{
    /// <summary>The longest path of a Unix socket on Linux, in bytes of UTF-8 (unix(7)).</summary>
    public const int LongestSocketPath = 107;

    private const string Forms = "unix:/path, /path, http://host:port and https://host:port are.";

    private GrpcAddress(string? socketPath, string host, int port, bool isSecure)
    {
        SocketPath = socketPath;
        Host = host;
        Port = port;
        IsSecure = isSecure;
    }

    /// <summary>The absolute path of the Unix socket; null for TCP.</summary>
    public string? SocketPath { get; }

    /// <summary>The name or numeric address for TCP, IPv6 without brackets; "localhost" for a Unix socket.</summary>
    public string Host { get; }

    /// <summary>1 to 65535 for TCP, 0 for a Unix socket.</summary>
    public int Port { get; }

    /// <summary>Whether it is spoken to with TLS.</summary>
    public bool IsSecure { get; }

    /// <summary>What requests name as their origin.</summary>
    public Uri Origin => SocketPath is null ? new UriBuilder(Scheme, Host, Port).Uri : new Uri("http://localhost/");

    private string Scheme => IsSecure ? Uri.UriSchemeHttps : Uri.UriSchemeHttp;

    /// <summary>A Unix socket.</summary>
    /// <exception cref="FormatException">The path is not absolute, or too long.</exception>
    public static GrpcAddress Unix(string path) => Parse("unix:" + path);

    /// <summary>A TCP port in clear text.</summary>
    /// <exception cref="FormatException">The host or the port is none.</exception>
    public static GrpcAddress Tcp(string host, int port) => Parse(Text(Uri.UriSchemeHttp, host, port));

    /// <summary>Reads "unix:/path", "unix:///path", "/path", "http://host:port" or "https://host:port".</summary>
    /// <exception cref="FormatException">It is none of them; the message says why.</exception>
    public static GrpcAddress Parse(string text) =>
        TryParse(text, out var address, out var error) ? address : throw new FormatException(error);

    /// <summary>Reads "unix:/path", "unix:///path", "/path", "http://host:port" or "https://host:port"; where it is none of them, the error is a sentence.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out GrpcAddress? address, [NotNullWhen(false)] out string? error)
    {
        if (text.StartsWith("unix:", StringComparison.Ordinal))
        {
            var path = text["unix:".Length..];
            return TryPath(path.StartsWith("///", StringComparison.Ordinal) ? path[2..] : path, text, out address, out error);
        }

        if (text.StartsWith('/'))
        {
            return TryPath(text, text, out address, out error);
        }

        return TryUri(text, out address, out error);
    }

    /// <inheritdoc/>
    public override string ToString() => SocketPath is null ? Text(Scheme, Host, Port) : "unix:" + SocketPath;

    private static string Text(string scheme, string host, int port) => $"{scheme}://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}";

    private static bool TryPath(string path, string text, [NotNullWhen(true)] out GrpcAddress? address, [NotNullWhen(false)] out string? error)
    {
        var bytes = Encoding.UTF8.GetByteCount(path);
        error = !path.StartsWith('/') || path.Length == 1 ? $"'{text}' names no Unix socket: an absolute path is needed, as in unix:/run/hypercalls.sock."
            : path.Contains('\0', StringComparison.Ordinal) ? "The path of the Unix socket has a zero byte in it."
            : bytes > LongestSocketPath ? $"'{path}' has {bytes} bytes; the path of a Unix socket has at most {LongestSocketPath}."
            : null;
        address = error is null ? new GrpcAddress(path, "localhost", 0, isSecure: false) : null;
        return error is null;
    }

    private static bool TryUri(string text, [NotNullWhen(true)] out GrpcAddress? address, [NotNullWhen(false)] out string? error)
    {
        address = null;
        if (!text.Contains("://", StringComparison.Ordinal) || !Uri.TryCreate(text, UriKind.Absolute, out var uri))
        {
            error = $"'{text}' is no address: {Forms}";
            return false;
        }

        var portText = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..].TrimEnd('/');
        error = uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps ? $"'{text}' begins with {uri.Scheme}:, which is not supported: {Forms}"
            : uri.PathAndQuery != "/" || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0 ? $"'{text}' has more than a host and a port."
            : !portText.EndsWith($":{uri.Port}", StringComparison.Ordinal) || uri.Port == 0 ? $"'{text}' has no port: {uri.Scheme}://host:port is needed."
            : null;
        if (error is null)
        {
            address = new GrpcAddress(null, IPAddress.TryParse(uri.Host, out var ip) ? ip.ToString() : uri.IdnHost, uri.Port, uri.Scheme == Uri.UriSchemeHttps);
        }

        return error is null;
    }
}

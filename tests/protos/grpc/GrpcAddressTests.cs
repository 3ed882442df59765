using Hypercalls.Grpc;

namespace Hypercalls.Tests.Protos.Grpc;

public class GrpcAddressTests
{
    [Theory]
    [InlineData("unix:/run/daemon.sock", "/run/daemon.sock", "unix:/run/daemon.sock")]
    [InlineData("unix:///run/daemon.sock", "/run/daemon.sock", "unix:/run/daemon.sock")]
    [InlineData("/run/with space", "/run/with space", "unix:/run/with space")]
    public void Reads_a_Unix_socket(string text, string path, string printed)
    {
        var address = GrpcAddress.Parse(text);
        Assert.Equal((path, "localhost", 0, printed), (address.SocketPath, address.Host, address.Port, address.ToString()));
        Assert.Equal(address, GrpcAddress.Parse(printed));
        Assert.Equal(address, GrpcAddress.Unix(path));
    }

    [Theory]
    [InlineData("http://localhost:5000", "localhost", 5000, "http://localhost:5000")]
    [InlineData("http://127.0.0.1:80/", "127.0.0.1", 80, "http://127.0.0.1")]
    [InlineData("http://[::1]:65535", "::1", 65535, "http://[::1]:65535")]
    public void Reads_a_TCP_port(string text, string host, int port, string origin)
    {
        var address = GrpcAddress.Parse(text);
        Assert.Equal((null, host, port), (address.SocketPath, address.Host, address.Port));
        Assert.Equal(new Uri(origin), address.Origin);
        Assert.Equal(address, GrpcAddress.Tcp(host, port));
        Assert.Equal(address, GrpcAddress.Parse(address.ToString()));
    }

    [Theory]
    [InlineData("https://rack1.example:7433", "rack1.example", 7433)]
    [InlineData("https://[::1]:443/", "::1", 443)]
    public void Reads_a_TCP_port_with_TLS(string text, string host, int port)
    {
        var address = GrpcAddress.Parse(text);
        Assert.Equal((null, host, port, true), (address.SocketPath, address.Host, address.Port, address.IsSecure));
        Assert.Equal(new Uri(text), address.Origin);
        Assert.Equal(address, GrpcAddress.Parse(address.ToString()));
        Assert.NotEqual(address, GrpcAddress.Tcp(host, port));
        Assert.Contains(nameof(HttpChannelOptions.Tls), Assert.Throws<ArgumentException>(() => HttpChannel.ForAddress(address)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "'' is no address: unix:/path, /path, http://host:port and https://host:port are.")]
    [InlineData("localhost:5000", "'localhost:5000' is no address: unix:/path, /path, http://host:port and https://host:port are.")]
    [InlineData("relative/path", "'relative/path' is no address: unix:/path, /path, http://host:port and https://host:port are.")]
    [InlineData("http://", "'http://' is no address: unix:/path, /path, http://host:port and https://host:port are.")]
    [InlineData("http://host:99999", "'http://host:99999' is no address: unix:/path, /path, http://host:port and https://host:port are.")]
    [InlineData("unix:", "'unix:' names no Unix socket: an absolute path is needed, as in unix:/run/hypercalls.sock.")]
    [InlineData("unix:name", "'unix:name' names no Unix socket: an absolute path is needed, as in unix:/run/hypercalls.sock.")]
    [InlineData("unix:/", "'unix:/' names no Unix socket: an absolute path is needed, as in unix:/run/hypercalls.sock.")]
    [InlineData("/a\0b", "The path of the Unix socket has a zero byte in it.")]
    [InlineData("ftp://host:1", "'ftp://host:1' begins with ftp:, which is not supported: unix:/path, /path, http://host:port and https://host:port are.")]
    [InlineData("tcp://host:1", "'tcp://host:1' begins with tcp:, which is not supported: unix:/path, /path, http://host:port and https://host:port are.")]
    [InlineData("http://host", "'http://host' has no port: http://host:port is needed.")]
    [InlineData("https://host", "'https://host' has no port: https://host:port is needed.")]
    [InlineData("http://host:0", "'http://host:0' has no port: http://host:port is needed.")]
    [InlineData("http://host:1/path", "'http://host:1/path' has more than a host and a port.")]
    [InlineData("http://user@host:1", "'http://user@host:1' has more than a host and a port.")]
    [InlineData("http://host:1?a=b", "'http://host:1?a=b' has more than a host and a port.")]
    public void Refuses_the_rest_with_a_sentence(string text, string error)
    {
        Assert.False(GrpcAddress.TryParse(text, out _, out var said));
        Assert.Equal(error, said);
        Assert.Equal(error, Assert.Throws<FormatException>(() => GrpcAddress.Parse(text)).Message);
    }

    [Fact]
    public void Counts_the_bytes_of_a_path()
    {
        var longest = "/" + new string('x', 106);
        Assert.Equal(longest, GrpcAddress.Unix(longest).SocketPath);
        Assert.False(GrpcAddress.TryParse(longest + "x", out _, out var error));
        Assert.Equal($"'{longest}x' has 108 bytes; the path of a Unix socket has at most 107.", error);
        Assert.False(GrpcAddress.TryParse("/" + new string('ä', 54), out _, out _));
    }
}

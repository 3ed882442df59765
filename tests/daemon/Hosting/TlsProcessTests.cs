using System.Security.Cryptography.X509Certificates;
using Hypercalls.Cli.Certificates;
using Hypercalls.Protos.Tls;
using Hypercalls.Tests.Client.Cli;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>The daemon's executable and its certificates: what it does not start with.</summary>
public sealed class TlsProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly CertificateAuthority _authority = CertificateAuthority.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(30));
    private readonly string _tls;

    public TlsProcessTests()
    {
        using var certificate = _authority.Issue(new(Role.Daemon, "localhost"), ["localhost"], DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        _tls = Write(certificate);
    }

    private string Certificate => Path.Combine(_tls, "cert.pem");

    private string Key => Path.Combine(_tls, "key.pem");

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("ca.pem")]
    [InlineData("cert.pem")]
    [InlineData("key.pem")]
    public Task A_file_that_is_not_there(string file)
    {
        var path = Path.Combine(_tls, file);
        File.Delete(path);
        return NoStartAsync($"{path} cannot be read: Could not find file '{path}'. `hypercalls cert` writes ca.pem, cert.pem and key.pem.");
    }

    [Theory]
    [InlineData("ca.pem", "{0} holds no certificate. `hypercalls cert` writes it.")]
    [InlineData("cert.pem", "{0} holds no certificate. `hypercalls cert` writes it.")]
    [InlineData("key.pem", "{0} holds no key of the certificate in cert.pem beside it (")]
    public async Task A_file_that_holds_something_else(string file, string sentence)
    {
        var path = Path.Combine(_tls, file);
        await File.WriteAllTextAsync(path, "nothing of the kind\n");
        await NoStartAsync(sentence.Replace("{0}", path, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0b110_100_000)]
    [InlineData(0b110_000_100)]
    [InlineData(0b110_000_010)]
    public Task A_key_that_is_open_to_others(int mode)
    {
        File.SetUnixFileMode(Key, (UnixFileMode)mode);
        return NoStartAsync($"The key {Key} is open to other users. Run: chmod 600 {Key}");
    }

    [Fact]
    public async Task A_key_of_another_certificate()
    {
        var key = await File.ReadAllTextAsync(Key);
        using var other = _authority.Issue(new(Role.Daemon, "localhost"), ["localhost"], DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        Write(other);
        await File.WriteAllTextAsync(Key, key);
        await NoStartAsync($"{Key} holds no key of the certificate in cert.pem beside it (");
    }

    [Fact]
    public Task A_certificate_that_has_expired()
    {
        var now = DateTimeOffset.UtcNow;
        using var expired = _authority.IssueBetween(new(Role.Daemon, "localhost"), CertificateFault.ServerUse, ["localhost"], now.AddMinutes(-50), now.AddMinutes(-1));
        Write(expired);
        return NoStartAsync($"The certificate in {Certificate} expired on {CertificateFault.Time(expired.NotAfter)}. `hypercalls cert` makes one that fits.");
    }

    [Fact]
    public Task A_certificate_of_a_client()
    {
        using var client = _authority.Issue(new(Role.Host, "rack1"), [], DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        Directory.Move(new AuthorityFolder(_folder).Write(_authority, new(Role.Host, "rack1"), client, replace: true), _tls + "2");
        Directory.Delete(_tls, recursive: true);
        Directory.Move(_tls + "2", _tls);
        return NoStartAsync($"The certificate in {Certificate} is not one for servers (extended key usage). `hypercalls cert` makes one that fits.");
    }

    [Fact]
    public async Task A_certificate_of_another_CA()
    {
        using var other = CertificateAuthority.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        await File.WriteAllTextAsync(Path.Combine(_tls, "ca.pem"), other.Certificate.ExportCertificatePem());
        await NoStartAsync($"The certificate in {Certificate} was not issued by the CA in ca.pem. `hypercalls cert` makes one that fits.");
    }

    [Theory]
    [InlineData("--tls {0}", "--tls {0} is for a TCP address: name one with --listen, such as 0.0.0.0:7433.")]
    [InlineData("--listen 0.0.0.0:7433", "--listen 0.0.0.0:7433 would be reachable from other machines, which needs mutual TLS: make certificates with `hypercalls cert ca` and `hypercalls cert daemon NAME`, and give their folder with --tls. Or use 127.0.0.1:7433.")]
    [InlineData("--listen [::]:7433", "--listen [::]:7433 would be reachable from other machines")]
    public async Task Arguments_that_do_not_go_together(string arguments, string sentence)
    {
        var daemon = await Tool.RunAsync(["daemon", "--socket", Path.Combine(_folder, "daemon.sock"), .. arguments.Replace("{0}", _tls, StringComparison.Ordinal).Split(' ')]);
        Assert.StartsWith(sentence.Replace("{0}", _tls, StringComparison.Ordinal), daemon.Errors, StringComparison.Ordinal);
        Assert.Equal(2, daemon.ExitCode);
        Assert.Single(daemon.Errors.TrimEnd().Split('\n'));
    }

    private string Write(X509Certificate2 certificate) => new AuthorityFolder(_folder).Write(_authority, new(Role.Daemon, "localhost"), certificate, replace: true);

    private async Task NoStartAsync(string sentence)
    {
        var daemon = await Tool.RunAsync(
            "daemon", "--socket", Path.Combine(_folder, "daemon.sock"), "--plugins", TestDaemon.PluginFolder(_folder, "psci"), "--listen", "127.0.0.1:0", "--tls", _tls);
        Assert.StartsWith(sentence, daemon.Errors, StringComparison.Ordinal);
        Assert.Equal(2, daemon.ExitCode);
        Assert.Single(daemon.Errors.TrimEnd().Split('\n'));
    }
}

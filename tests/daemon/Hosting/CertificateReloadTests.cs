using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Hypercalls.Cli.Certificates;
using Hypercalls.Grpc;
using Hypercalls.Protos.Tls;
using static Hypercalls.Tests.Daemon.Hosting.TlsDaemon;
using OperatorClient = Hypercalls.Protos.Operator.OperatorClient;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>Certificates that change while the daemon runs: new connections use them, old ones live on, broken files change nothing.</summary>
public sealed class CertificateReloadTests : IAsyncLifetime
{
    private readonly TlsDaemon _tls = new();

    public Task InitializeAsync() => _tls.InitializeAsync();

    public Task DisposeAsync() => _tls.DisposeAsync();

    [Fact]
    public async Task A_new_certificate_is_shown_to_new_connections_and_old_ones_live_on()
    {
        var before = await SerialAsync();
        var old = _tls.Client(Host("old"));
        await LetInAsync(old);
        _tls.Write(_tls.Authority);
        var after = await SerialAsync();
        Assert.NotEqual(before, after);
        Assert.Equal(after, await SerialAsync());
        await LetInAsync(old);
        Assert.Equal(1, Said("have changed: new connections use the one that expires on "));
    }

    [Fact]
    public async Task A_new_CA_shuts_those_of_the_old_one_out_and_lets_its_own_in()
    {
        using var next = CertificateAuthority.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(10));
        using var ofNext = next.Issue(Host("next"), [], DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        using var ofOld = _tls.Authority.Issue(Host("late"), [], DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        var connected = _tls.Client(Host("connected"));
        await LetInAsync(connected);
        await ShutOutAsync(ofNext, "host next");

        _tls.Write(next);
        await LetInAsync(Anyone(ofNext));
        await ShutOutAsync(ofOld, "host late");
        await LetInAsync(connected);

        // Both, while one CA follows the other.
        await File.AppendAllTextAsync(Path.Combine(_tls.Folder, CertificateFolder.Authorities), _tls.Authority.Certificate.ExportCertificatePem());
        await LetInAsync(Anyone(ofOld));
        await LetInAsync(Anyone(ofNext));
    }

    [Fact]
    public async Task A_host_s_own_certificate_may_change_too()
    {
        var folder = _tls.FolderOf(Host("changing"));
        var certificates = new CertificateFolder(folder, isServer: false, _ => { }, _ => { });
        var first = certificates.Current.Certificate.SerialNumber;
        _tls.FolderOf(Host("changing"));
        Assert.NotEqual(first, certificates.Current.Certificate.SerialNumber);
        await LetInAsync(_tls.Client(() => certificates.Current.ForClient()));
    }

    [Theory]
    [InlineData(CertificateFolder.Authorities, "ca.pem holds no certificate.")]
    [InlineData(CertificateFolder.Certificate, "cert.pem holds no certificate.")]
    [InlineData(CertificateFolder.Key, "key.pem holds no key of the certificate in cert.pem beside it")]
    public async Task A_half_written_file_keeps_the_old_ones_and_is_one_sentence(string file, string sentence)
    {
        var before = await SerialAsync();
        var path = Path.Combine(_tls.Folder, file);
        var whole = await File.ReadAllTextAsync(path);
        for (var part = 1; part <= 2; part++)
        {
            await File.WriteAllTextAsync(path, whole[..(whole.Length * part / 3)]);
            Assert.Equal(before, await SerialAsync());
            Assert.Equal(before, await SerialAsync());
        }

        var said = await _tls.Daemon.SaysAsync(sentence);
        Assert.StartsWith(_tls.Folder, said, StringComparison.Ordinal);
        Assert.EndsWith(" Until then the certificates from before are used.", said, StringComparison.Ordinal);
        Assert.Equal(1, Said(sentence));
        _tls.Write(_tls.Authority);
        Assert.NotEqual(before, await SerialAsync());
    }

    [Fact]
    public async Task A_key_that_others_can_read_or_that_belongs_to_another_certificate_keeps_the_old_ones()
    {
        var before = await SerialAsync();
        var key = Path.Combine(_tls.Folder, CertificateFolder.Key);
        var right = await File.ReadAllTextAsync(key);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Equal(before, await SerialAsync());
        await _tls.Daemon.SaysAsync($"The key {key} is open to other users. Run: chmod 600 {key} Until then");

        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(key, await File.ReadAllTextAsync(Path.Combine(_tls.FolderOf(Host("foreign")), CertificateFolder.Key)));
        Assert.Equal(before, await SerialAsync());
        await _tls.Daemon.SaysAsync($"{key} holds no key of the certificate in cert.pem beside it");

        await File.WriteAllTextAsync(key, right);
        Assert.Equal(before, await SerialAsync());
        File.Delete(key);
        Assert.Equal(before, await SerialAsync());
        await _tls.Daemon.SaysAsync($"{key} cannot be read: ");
    }

    private int Said(string sentence) => _tls.Daemon.Log.Count(entry => entry.Text.Contains(sentence, StringComparison.Ordinal));

    private static async Task LetInAsync(HttpChannel channel) => await new OperatorClient(channel).ListMachinesAsync(new()).ResponseAsync.Soon();

    private async Task ShutOutAsync(X509Certificate2 certificate, string name)
    {
        await Assert.ThrowsAsync<RpcException>(() => LetInAsync(Anyone(certificate)));
        await _tls.Daemon.SaysAsync($"which names {name}, was not issued by the CA in ca.pem");
    }

    /// <summary>The number of the certificate that a new connection is shown.</summary>
    private async Task<string> SerialAsync()
    {
        var serial = "";
        using var certificate = _tls.Authority.Issue(Host("looker"), [], DateTimeOffset.UtcNow, TimeSpan.FromHours(1));
        await LetInAsync(Anyone(certificate, server => serial = server.SerialNumber));
        return serial;
    }

    /// <summary>A client of a CA of its own choice, that takes the daemon's as it is.</summary>
    private HttpChannel Anyone(X509Certificate2 certificate, Action<X509Certificate2>? shown = null) => _tls.Client(() => new()
    {
        ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
        RemoteCertificateValidationCallback = (_, server, _, _) =>
        {
            shown?.Invoke((X509Certificate2)server!);
            return server is not null;
        },
    });
}

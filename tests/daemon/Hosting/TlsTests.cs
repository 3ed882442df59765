using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Hypercalls.Cli.Certificates;
using Hypercalls.Grpc;
using Hypercalls.Protos.Tls;
using static Hypercalls.Tests.Daemon.Hosting.TlsDaemon;
using OperatorClient = Hypercalls.Protos.Operator.OperatorClient;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>Who is let in over TLS, and what both sides say to whom is not.</summary>
public sealed class TlsTests(TlsDaemon tls) : IClassFixture<TlsDaemon>
{
    private static DateTimeOffset Now => DateTimeOffset.UtcNow;

    [Fact]
    public async Task A_holder_of_a_certificate_is_let_in()
    {
        var reply = await new OperatorClient(tls.Client(Host("welcome"))).ListServicesAsync(new()).ResponseAsync.Soon();
        Assert.Contains(reply.Services, service => service.Name == "PSCI");
    }

    [Fact]
    public Task Without_a_certificate_nobody_gets_in() => RefusedAsync(tls.Stranger(null), "it has no certificate");

    [Fact]
    public async Task A_certificate_of_another_CA_is_refused()
    {
        using var other = CertificateAuthority.Create(Now, TimeSpan.FromDays(1));
        using var certificate = other.Issue(Host("other-ca"), [], Now, TimeSpan.FromHours(1));
        await RefusedAsync(tls.Stranger(certificate), "its certificate, which names host other-ca, was not issued by the CA in ca.pem");
    }

    [Fact]
    public async Task A_certificate_of_a_CA_of_the_same_name_is_refused()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest(tls.Authority.Certificate.SubjectName, key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var copy = new CertificateAuthority(request.CreateSelfSigned(Now, Now.AddDays(1)));
        using var certificate = copy.IssueBetween(Host("copied"), CertificateFault.ClientUse, [], Now, Now.AddHours(1));
        await RefusedAsync(tls.Stranger(certificate, between: copy.Certificate), "its certificate, which names host copied, was not issued by the CA in ca.pem");
    }

    [Fact]
    public Task An_expired_certificate_is_refused() =>
        RefusedAsync(Host("expired"), CertificateFault.ClientUse, Now.AddMinutes(-50), Now.AddMinutes(-1), "its certificate, which names host expired, expired on 20");

    [Fact]
    public Task A_certificate_that_is_not_valid_yet_is_refused() =>
        RefusedAsync(Host("early"), CertificateFault.ClientUse, Now.AddHours(1), Now.AddHours(2), "its certificate, which names host early, is not valid before 20");

    [Fact]
    public Task A_server_s_certificate_is_no_client_s() =>
        RefusedAsync(Host("server"), CertificateFault.ServerUse, Now.AddMinutes(-1), Now.AddHours(1), "its certificate, which names host server, is not one for clients (extended key usage)");

    [Fact]
    public Task A_daemon_is_no_client_whatever_its_certificate_is_for() =>
        RefusedAsync(new(Role.Daemon, "copy"), CertificateFault.ClientUse, Now.AddMinutes(-1), Now.AddHours(1), "its certificate is that of daemon copy, and no client's");

    [Fact]
    public Task A_certificate_that_names_nobody_is_refused() =>
        RefusedAsync(Host("line\nbreak"), CertificateFault.ClientUse, Now.AddMinutes(-1), Now.AddHours(1), "its certificate does not say who it is: the subject needs OU=host or OU=operator, and a name as CN");

    [Fact]
    public async Task A_certificate_without_any_use_is_refused()
    {
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest(Host("useless").ToSubject(), key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        using var certificate = request.Create(tls.Authority.Certificate, Now.AddMinutes(-1), Now.AddHours(1), [1, 2, 3]);
        using var withKey = certificate.CopyWithPrivateKey(key);
        await RefusedAsync(tls.Stranger(withKey), "its certificate, which names host useless, is not one for clients (extended key usage)");
    }

    [Fact]
    public async Task A_host_is_no_CA()
    {
        using var host = new CertificateAuthority(tls.Authority.Issue(Host("issuer"), [], Now, TimeSpan.FromHours(2)));
        // Its certificate says that it is none, which the runtime looks at here and TLS there: signed by hand.
        using var key = System.Security.Cryptography.ECDsa.Create();
        var request = new CertificateRequest(Host("issued").ToSubject(), key, System.Security.Cryptography.HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(CertificateFault.ClientUse)], critical: true));
        using var issuer = host.Certificate.GetECDsaPrivateKey()!;
        using var certificate = request.Create(
            host.Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer), Now.AddMinutes(-1), Now.AddHours(1), [4, 5, 6]);
        using var withKey = certificate.CopyWithPrivateKey(key);
        await RefusedAsync(tls.Stranger(withKey, between: host.Certificate), "its certificate, which names host issued, was issued by the holder of a certificate that may issue none");
    }

    [Fact]
    public async Task An_older_TLS_is_refused()
    {
        using var certificate = tls.Authority.Issue(Host("older"), [], Now, TimeSpan.FromHours(1));
        var refusal = await Assert.ThrowsAsync<RpcException>(() => new OperatorClient(tls.Stranger(certificate, SslProtocols.Tls12)).ListServicesAsync(new()).ResponseAsync.Soon());
        Assert.Equal(StatusCode.Unauthenticated, refusal.StatusCode);
        Assert.StartsWith("The TLS handshake failed: ", refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Matches(@"^Refused: 127\.0\.0\.1:\d+: ", await tls.Daemon.SaysAsync("the TLS handshake did not come to its end"));
    }

    [Fact]
    public async Task Clear_text_is_not_answered()
    {
        using var channel = HttpChannel.ForAddress(GrpcAddress.Tcp(tls.Daemon.Tcp.Host, tls.Daemon.Tcp.Port));
        var refusal = await Assert.ThrowsAsync<RpcException>(() => new OperatorClient(channel).ListServicesAsync(new()).ResponseAsync.Soon());
        Assert.Equal(StatusCode.Unavailable, refusal.StatusCode);
    }

    [Fact]
    public async Task A_client_takes_no_daemon_by_another_name()
    {
        var certificates = new CertificateFolder(tls.FolderOf(Host("careful")), isServer: false, _ => { }, _ => { });
        var elsewhere = tls.Client(() => certificates.Current.ForClient(), GrpcAddress.Parse($"https://localhost:{tls.Daemon.Tcp.Port}"));
        await UntrustedAsync(elsewhere, "The certificate of the daemon is not one for localhost.");
    }

    [Fact]
    public async Task A_client_takes_no_daemon_of_another_CA()
    {
        using var other = CertificateAuthority.Create(Now, TimeSpan.FromDays(1));
        using var certificate = other.Issue(Host("abroad"), [], Now, TimeSpan.FromHours(1));
        using var key = certificate.GetECDsaPrivateKey()!;
        var credentials = Credentials.Parse(other.Certificate.ExportCertificatePem(), certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), CertificateFault.ClientUse, "there");
        await UntrustedAsync(tls.Client(credentials.ForClient), "The certificate of the daemon was not issued by the CA in ca.pem.");
    }

    private static async Task UntrustedAsync(HttpChannel client, string sentence)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => new OperatorClient(client).ListServicesAsync(new()).ResponseAsync.Soon());
        Assert.Equal((StatusCode.Unauthenticated, sentence), (refusal.StatusCode, refusal.Status.Detail));
    }

    private async Task RefusedAsync(Party party, string use, DateTimeOffset from, DateTimeOffset until, string reason)
    {
        using var certificate = tls.Authority.IssueBetween(party, use, [], from, until);
        await RefusedAsync(tls.Stranger(certificate), reason);
    }

    /// <summary>The client learns that it was refused, and the daemon says who was and why.</summary>
    private async Task RefusedAsync(HttpChannel client, string reason)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => new OperatorClient(client).ListServicesAsync(new()).ResponseAsync.Soon());
        Assert.Matches(@"^Refused: 127\.0\.0\.1:\d+: ", await tls.Daemon.SaysAsync(reason));
        Assert.Equal((StatusCode.Unavailable, "The server hung up without an answer. Where it refuses this certificate, its log says why."), (refusal.StatusCode, refusal.Status.Detail));
    }
}

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hypercalls.Protos.Tls;

/// <summary>A CA, an own certificate and its key: what one end of mutual TLS needs. TLS 1.3 and nothing older.</summary>
public sealed class Credentials
{
    private readonly X509Certificate2Collection _authorities;
    private readonly SslStreamCertificateContext _own;

    private Credentials(X509Certificate2Collection authorities, X509Certificate2 own, X509Certificate2Collection issuers)
    {
        _authorities = authorities;
        // Offline: nothing is fetched from the addresses in a certificate.
        _own = SslStreamCertificateContext.Create(own, issuers, offline: true);
    }

    /// <summary>One's own certificate.</summary>
    public X509Certificate2 Certificate => _own.TargetCertificate;

    /// <summary>From the text of the three files, checked: the key belongs to the certificate, and the CA has issued it for this use.</summary>
    /// <param name="authorities">ca.pem: one certificate or more.</param>
    /// <param name="certificate">cert.pem: one's own first, then those between it and the CA.</param>
    /// <param name="key">key.pem: not encrypted.</param>
    /// <param name="use">The extended key usage that one's own must have.</param>
    /// <param name="folder">Where they are from, for the sentence.</param>
    /// <exception cref="CertificateException">They are not what they should be.</exception>
    public static Credentials Parse(string authorities, string certificate, string key, string use, string folder)
    {
        var trusted = Certificates(authorities, Path.Combine(folder, CertificateFolder.Authorities));
        var own = Certificates(certificate, Path.Combine(folder, CertificateFolder.Certificate));
        var withKey = WithKey(certificate, key, folder);
        own[0].Dispose();
        own.RemoveAt(0);
        using var chain = new X509Chain { ChainPolicy = CertificateFault.Policy(trusted, use) };
        chain.ChainPolicy.ExtraStore.AddRange(own);
        chain.Build(withKey);
        return CertificateFault.Of(withKey, chain, SslPolicyErrors.None, use) is { } fault
            ? throw new CertificateException($"The certificate in {Path.Combine(folder, CertificateFolder.Certificate)} {fault}. `hypercalls cert` makes one that fits.")
            : new(trusted, withKey, own);
    }

    /// <summary>For one connection to a server that the CA has issued a certificate for.</summary>
    public SslClientAuthenticationOptions ForClient()
    {
        var options = new SslClientAuthenticationOptions
        {
            AllowTlsResume = false,
            CertificateChainPolicy = CertificateFault.Policy(_authorities, CertificateFault.ServerUse),
            ClientCertificateContext = _own,
            EnabledSslProtocols = SslProtocols.Tls13,
        };
        options.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => certificate is not X509Certificate2 server
            ? throw new AuthenticationException("The daemon has no certificate.")
            : CertificateFault.Of(server, chain, errors, CertificateFault.ServerUse, options.TargetHost) is { } fault
                ? throw new AuthenticationException($"The certificate of the daemon {fault}.")
                : true;
        return options;
    }

    /// <summary>For one connection from a client, which is asked for a certificate.</summary>
    /// <param name="check">Says whether the client is let in, by its certificate, null where it has none, and by what is wrong with it, in words that follow "the certificate", null where nothing is.</param>
    public SslServerAuthenticationOptions ForServer(Func<X509Certificate2?, string?, bool> check) => new()
    {
        // A session that goes on would keep a client in that its CA has left.
        AllowTlsResume = false,
        CertificateChainPolicy = CertificateFault.Policy(_authorities, CertificateFault.ClientUse),
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls13,
        ServerCertificateContext = _own,
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            certificate is X509Certificate2 client ? check(client, CertificateFault.Of(client, chain, errors, CertificateFault.ClientUse)) : check(null, null),
    };

    private static X509Certificate2Collection Certificates(string text, string file)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new CertificateException($"{file} holds a certificate that cannot be read: {e.Message}", e);
        }

        return certificates.Count > 0 ? certificates : throw new CertificateException($"{file} holds no certificate. `hypercalls cert` writes it.");
    }

    private static X509Certificate2 WithKey(string certificate, string key, string folder)
    {
        try
        {
            return X509Certificate2.CreateFromPem(certificate, key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CertificateException(
                $"{Path.Combine(folder, CertificateFolder.Key)} holds no key of the certificate in {CertificateFolder.Certificate} beside it ({e.Message}). The two are made together, and the key is not encrypted.", e);
        }
    }
}

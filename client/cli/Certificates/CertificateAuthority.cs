using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hypercalls.Protos.Tls;

namespace Hypercalls.Cli.Certificates;

/// <summary>A CA for development: its certificate and key, and what it issues (RFC 5280, Certificate Extensions). ECDSA on P-256.</summary>
internal sealed class CertificateAuthority(X509Certificate2 certificate) : IDisposable
{
    /// <summary>Behind the clock of whoever makes it: machines' clocks differ.</summary>
    private static readonly TimeSpan s_skew = TimeSpan.FromHours(1);

    /// <summary>With its key.</summary>
    public X509Certificate2 Certificate { get; } = certificate;

    /// <summary>A new one.</summary>
    public static CertificateAuthority Create(DateTimeOffset now, TimeSpan validity)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        // Two of them must not be mistaken for each other.
        subject.AddCommonName($"Hypercalls development CA {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new(request.CreateSelfSigned(now - s_skew, now + validity));
    }

    /// <summary>A certificate for a party, with a key of its own.</summary>
    /// <param name="party">Whom it names.</param>
    /// <param name="names">Host names and addresses that clients connect to; none but a daemon has any.</param>
    /// <param name="now">It is valid from a little before.</param>
    /// <param name="validity">From now on; not past the CA's own.</param>
    public X509Certificate2 Issue(Party party, IEnumerable<string> names, DateTimeOffset now, TimeSpan validity)
    {
        var from = now - s_skew;
        return IssueBetween(party, party.Role == Role.Daemon ? CertificateFault.ServerUse : CertificateFault.ClientUse, names, from < Certificate.NotBefore ? Certificate.NotBefore : from, now + validity);
    }

    /// <summary>A certificate for any use and time.</summary>
    public X509Certificate2 IssueBetween(Party party, string use, IEnumerable<string> names, DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(party.ToSubject(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(use)], critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (Alternatives(names) is { } alternatives)
        {
            request.CertificateExtensions.Add(alternatives);
        }

        var serial = RandomNumberGenerator.GetBytes(16);
        // Positive, and without a zero in front.
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        using var issued = request.Create(Certificate, from, until, serial);
        return issued.CopyWithPrivateKey(key);
    }

    public void Dispose() => Certificate.Dispose();

    private static X509Extension? Alternatives(IEnumerable<string> names)
    {
        var alternatives = new SubjectAlternativeNameBuilder();
        var any = false;
        foreach (var name in names)
        {
            any = true;
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        return any ? alternatives.Build() : null;
    }
}

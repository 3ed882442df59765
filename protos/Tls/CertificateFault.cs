using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Hypercalls.Protos.Tls;

/// <summary>Why a certificate is refused, in words that follow "the certificate …".</summary>
public static class CertificateFault
{
    /// <summary>Of servers (RFC 5280, id-kp-serverAuth).</summary>
    public const string ServerUse = "1.3.6.1.5.5.7.3.1";

    /// <summary>Of clients (RFC 5280, id-kp-clientAuth).</summary>
    public const string ClientUse = "1.3.6.1.5.5.7.3.2";

    /// <summary>Null where nothing is wrong.</summary>
    /// <param name="certificate">The peer's, or one's own.</param>
    /// <param name="chain">As built with <see cref="Policy"/>.</param>
    /// <param name="errors">What TLS found.</param>
    /// <param name="use">The extended key usage that it must have.</param>
    /// <param name="host">The name that was connected to; null where none is checked.</param>
    public static string? Of(X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors errors, string use, string? host = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        var found = chain is null ? [] : chain.ChainElements.SelectMany(element => element.ChainElementStatus).Concat(chain.ChainStatus).ToArray();
        bool Has(X509ChainStatusFlags flags) => found.Any(status => (status.Status & flags) != 0);
        // What is wrong with a stranger's certificate is nobody's business: who issued it comes first.
        return Has(X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid) ? "was not issued by the CA in ca.pem"
            : certificate.NotAfter < DateTime.Now ? $"expired on {Time(certificate.NotAfter)}"
            : certificate.NotBefore > DateTime.Now ? $"is not valid before {Time(certificate.NotBefore)}"
            : Has(X509ChainStatusFlags.NotTimeValid) ? "was issued by a CA whose own certificate has expired or is not valid yet"
            : Has(X509ChainStatusFlags.NotValidForUsage) || !IsFor(certificate, use) ? $"is not one for {(use == ServerUse ? "servers" : "clients")} (extended key usage)"
            : Has(X509ChainStatusFlags.InvalidBasicConstraints) ? "was issued by the holder of a certificate that may issue none"
            : found.FirstOrDefault(status => status.Status != X509ChainStatusFlags.NoError) is { Status: not X509ChainStatusFlags.NoError } other ? $"is refused: {other.Status}"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"is not one for {host}"
            : errors != SslPolicyErrors.None ? $"is refused: {errors}"
            : null;
    }

    /// <summary>Trusts these alone, and asks nobody on the network.</summary>
    /// <param name="authorities">The CA's certificates.</param>
    /// <param name="use">The extended key usage asked for.</param>
    public static X509ChainPolicy Policy(X509Certificate2Collection authorities, string use)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ApplicationPolicy.Add(new(use));
        return policy;
    }

    /// <summary>In UTC, to the second.</summary>
    public static string Time(DateTime time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    // A certificate without this extension would be good for everything.
    private static bool IsFor(X509Certificate2 certificate, string use) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(extension => extension.EnhancedKeyUsages[use] is not null);
}

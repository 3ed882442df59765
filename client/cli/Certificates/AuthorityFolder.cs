using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Hypercalls.Protos.Tls;

namespace Hypercalls.Cli.Certificates;

/// <summary>Where `hypercalls cert` keeps what it makes: the CA in "ca", each party in a folder of its own, as --tls takes it.</summary>
internal sealed class AuthorityFolder(string folder)
{
    private const string AuthorityKey = "ca-key.pem";
    private const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Open = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode OthersMode = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private string Authority => Path.Combine(folder, "ca");

    /// <summary>Where a party's three files are: "daemon", "host-rack1".</summary>
    public string Of(Party party) => Path.Combine(folder, party.Role == Role.Daemon ? party.Unit : $"{party.Unit}-{party.Name}");

    /// <returns>The folder written.</returns>
    /// <exception cref="CliException">One is there already and is not to be replaced, or it cannot be written.</exception>
    public string Write(CertificateAuthority authority, bool replace)
    {
        Write(Authority, replace, (AuthorityKey, Key(authority.Certificate), Secret), (CertificateFolder.Authorities, authority.Certificate.ExportCertificatePem(), Open));
        return Authority;
    }

    /// <returns>The folder written.</returns>
    /// <exception cref="CliException">One is there already and is not to be replaced, or it cannot be written.</exception>
    public string Write(CertificateAuthority authority, Party party, X509Certificate2 certificate, bool replace)
    {
        Write(
            Of(party),
            replace,
            (CertificateFolder.Key, Key(certificate), Secret),
            (CertificateFolder.Certificate, certificate.ExportCertificatePem(), Open),
            (CertificateFolder.Authorities, authority.Certificate.ExportCertificatePem(), Open));
        return Of(party);
    }

    /// <exception cref="CliException">There is none, or it cannot be used.</exception>
    public CertificateAuthority Read()
    {
        var (certificate, key) = (Path.Combine(Authority, CertificateFolder.Authorities), Path.Combine(Authority, AuthorityKey));
        if (!File.Exists(certificate) || !File.Exists(key))
        {
            throw new CliException($"There is no CA in {Authority}. Make one first: `hypercalls cert ca`.", ExitCode.BadInput);
        }

        if ((File.GetUnixFileMode(key) & OthersMode) != 0)
        {
            throw new CliException($"The key {key} is open to other users. Run: chmod 600 {key}", ExitCode.BadInput);
        }

        try
        {
            var read = X509Certificate2.CreateFromPemFile(certificate, key);
            return read.PublicKey.GetECDsaPublicKey() is not null && read.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority)
                ? new(read)
                : throw new CliException($"{certificate} is no CA with an ECDSA key, as `hypercalls cert ca` makes one.", ExitCode.BadInput);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CliException($"{certificate} and {key} are no certificate and its key: {e.Message}", ExitCode.BadInput);
        }
    }

    private static string Key(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    private static void Write(string target, bool replace, params (string Name, string Text, UnixFileMode Mode)[] files)
    {
        if (!replace && files.Select(file => Path.Combine(target, file.Name)).FirstOrDefault(Path.Exists) is { } taken)
        {
            throw new CliException($"{taken} is there already. --force replaces it.", ExitCode.BadInput);
        }

        try
        {
            Directory.CreateDirectory(target, Secret | UnixFileMode.UserExecute);
            foreach (var (name, text, mode) in files)
            {
                // Whoever reads meanwhile finds the old file or the new one, never half of one.
                var path = Path.Combine(target, name);
                var beside = $"{path}.{Environment.ProcessId}";
                using (var file = new FileStream(beside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
                {
                    file.Write(Encoding.ASCII.GetBytes(text + "\n"));
                }

                File.Move(beside, path, overwrite: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{target} cannot be written: {e.Message}");
        }
    }
}

using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Hypercalls.Cli.Certificates;
using Hypercalls.Grpc;
using Hypercalls.Protos.Tls;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>A daemon that listens with TLS on 127.0.0.1, its CA, and clients with certificates of every kind.</summary>
public sealed class TlsDaemon : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly List<HttpChannel> _channels = [];

    public TlsDaemon()
    {
        Authority = CertificateAuthority.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(30));
        Folder = Write(Authority);
        Daemon = new(options => (options.Listen, options.Tls) = ("127.0.0.1:0", Folder));
    }

    public TestDaemon Daemon { get; }

    /// <summary>What the daemon's --tls names.</summary>
    public string Folder { get; }

    internal CertificateAuthority Authority { get; }

    public Task InitializeAsync() => Daemon.InitializeAsync();

    public async Task DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await Daemon.DisposeAsync();
        Authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Puts a new certificate for the daemon in place, of this CA.</summary>
    internal string Write(CertificateAuthority authority)
    {
        Party daemon = new(Role.Daemon, "127.0.0.1");
        using var certificate = authority.Issue(daemon, ["127.0.0.1"], DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        return new AuthorityFolder(_folder).Write(authority, daemon, certificate, replace: true);
    }

    /// <summary>A folder as `hypercalls cert` writes it for this party.</summary>
    internal string FolderOf(Party party)
    {
        using var certificate = Authority.Issue(party, [], DateTimeOffset.UtcNow, TimeSpan.FromDays(1));
        return new AuthorityFolder(_folder).Write(Authority, party, certificate, replace: true);
    }

    /// <summary>A client as the tool is one, with a certificate of the daemon's CA.</summary>
    internal HttpChannel Client(Party party)
    {
        var certificates = new CertificateFolder(FolderOf(party), isServer: false, _ => { }, _ => { });
        return Client(() => certificates.Current.ForClient());
    }

    /// <summary>A client with any certificate or none.</summary>
    internal HttpChannel Stranger(X509Certificate2? certificate, SslProtocols protocols = SslProtocols.Tls13, params X509Certificate2[] between) => Client(() => new()
    {
        EnabledSslProtocols = protocols,
        ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, [.. between], offline: true),
        RemoteCertificateValidationCallback = (_, server, _, _) => server?.Issuer == Authority.Certificate.Subject,
    });

    internal HttpChannel Client(Func<SslClientAuthenticationOptions> tls, GrpcAddress? address = null)
    {
        var channel = HttpChannel.ForAddress(address ?? Daemon.Tcp, new() { Tls = tls });
        _channels.Add(channel);
        return channel;
    }

    internal static Party Host(string name) => new(Role.Host, name);

    internal static Party Operator(string name) => new(Role.Operator, name);
}

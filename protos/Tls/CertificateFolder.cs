using System.Text;

namespace Hypercalls.Protos.Tls;

/// <summary>A folder with ca.pem, cert.pem and key.pem, looked at for each connection: what is put there is used without a restart.</summary>
public sealed class CertificateFolder
{
    /// <summary>The CA's certificate; several while one CA follows another.</summary>
    public const string Authorities = "ca.pem";

    /// <summary>One's own certificate.</summary>
    public const string Certificate = "cert.pem";

    /// <summary>Its key.</summary>
    public const string Key = "key.pem";

    private const UnixFileMode OthersMode =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const int LargestFile = 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly string _folder;
    private readonly string _use;
    private readonly Action<string> _changed;
    private readonly Action<string> _failed;
    private (string Authorities, string Certificate, string Key) _used;
    private string? _failure;
    private Credentials _current;

    /// <summary>Reads the three files.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="isServer">Whether its certificate is to serve, or to connect.</param>
    /// <param name="changed">Told in a sentence when others are used from now on.</param>
    /// <param name="failed">Told in a sentence, once, when others are there and cannot be used.</param>
    /// <exception cref="CertificateException">They cannot be used: the sentence names file and remedy.</exception>
    public CertificateFolder(string folder, bool isServer, Action<string> changed, Action<string> failed)
    {
        _folder = Path.GetFullPath(folder);
        _use = isServer ? CertificateFault.ServerUse : CertificateFault.ClientUse;
        _changed = changed;
        _failed = failed;
        _used = Read();
        _current = Parse(_used);
    }

    /// <summary>What new connections use: the newest files that go together.</summary>
    public Credentials Current
    {
        get
        {
            // Contents, not times of files: a folder of links to another folder changes without its own entries changing.
            lock (_lock)
            {
                Refresh();
                return _current;
            }
        }
    }

    private void Refresh()
    {
        try
        {
            var now = Read();
            if (now != _used)
            {
                (_current, _used) = (Parse(now), now);
                _changed($"The certificates in {_folder} have changed: new connections use the one that expires on {CertificateFault.Time(_current.Certificate.NotAfter)}.");
            }

            _failure = null;
        }
        catch (CertificateException e)
        {
            // Once for each mistake, not for each connection.
            if (_failure != e.Message)
            {
                _failure = e.Message;
                _failed($"{e.Message} Until then the certificates from before are used.");
            }
        }
    }

    private Credentials Parse((string Authorities, string Certificate, string Key) files) =>
        Credentials.Parse(files.Authorities, files.Certificate, files.Key, _use, _folder);

    private (string Authorities, string Certificate, string Key) Read() =>
        (Read(Authorities, isSecret: false), Read(Certificate, isSecret: false), Read(Key, isSecret: true));

    private string Read(string name, bool isSecret)
    {
        var path = Path.Combine(_folder, name);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            // Asked of the open file: the name may lead elsewhere a moment later.
            if (isSecret && (File.GetUnixFileMode(file.SafeFileHandle) & OthersMode) != 0)
            {
                throw new CertificateException($"The key {path} is open to other users. Run: chmod 600 {path}");
            }

            if (file.Length > LargestFile)
            {
                throw new CertificateException($"{path} has {file.Length} bytes: that is no file of certificates.");
            }

            using var reader = new StreamReader(file, Encoding.ASCII);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CertificateException($"{path} cannot be read: {e.Message} `hypercalls cert` writes {Authorities}, {Certificate} and {Key}.", e);
        }
    }
}

using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net.Sockets;
using Hypercalls.Grpc;
using Hypercalls.Protos;
using Hypercalls.Protos.Tls;

namespace Hypercalls.Cli;

/// <summary>Where the daemon is: --daemon, else HYPERCALLS_DAEMON, else the user's local socket; and with --tls, else HYPERCALLS_TLS, who asks.</summary>
internal sealed class DaemonAddress
{
    private readonly Option<string?> _daemon = new("--daemon")
    {
        Description = "The daemon: a socket path, http://host:port or https://host:port. By default $HYPERCALLS_DAEMON, else the local socket.",
        HelpName = "address",
    };

    private readonly Option<string?> _tls = new("--tls")
    {
        Description = "For https: the folder with ca.pem, cert.pem and key.pem, as `hypercalls cert` makes it. By default $HYPERCALLS_TLS.",
        HelpName = "folder",
    };

    private DaemonAddress()
    {
    }

    public static DaemonAddress AddTo(Command command)
    {
        var address = new DaemonAddress();
        command.Add(address._daemon);
        command.Add(address._tls);
        return address;
    }

    /// <summary>Whether one is named, rather than the local socket taken.</summary>
    public bool IsNamed(ParseResult parsed) => Named(parsed) is not null;

    /// <summary>Whether the command line itself names one.</summary>
    public bool IsGiven(SymbolResult result) => result.GetResult(_daemon) is not null;

    /// <summary>What another process named, where the command line names nothing: stronger than the environment.</summary>
    public (string? Daemon, string? Tls) Remembered { get; set; }

    /// <summary>What is named, for another process in another folder.</summary>
    public (string? Daemon, string? Tls) ToRemember(ParseResult parsed) =>
        (IsNamed(parsed) ? Of(parsed).ToString() : null, Folder(parsed) is { Length: > 0 } folder ? Path.GetFullPath(folder) : null);

    /// <exception cref="CliException">It is none, or certificates are named and it has no use for them.</exception>
    public GrpcAddress Of(ParseResult parsed)
    {
        var text = Named(parsed) ?? LocalSocket.DefaultPath;
        if (!GrpcAddress.TryParse(text.StartsWith("http", StringComparison.Ordinal) || text.StartsWith("unix:", StringComparison.Ordinal) ? text : Path.GetFullPath(text), out var address, out var error))
        {
            throw new CliException(error, ExitCode.BadInput);
        }

        return parsed.GetValue(_tls) is { } folder && !address.IsSecure
            ? throw new CliException($"--tls {folder} is for a daemon at an https address, and this one is at {address}. Name it with --daemon https://host:port.", ExitCode.BadInput)
            : address;
    }

    /// <summary>A channel to a daemon that answers.</summary>
    /// <exception cref="CliException">None does, or what TLS needs is not there.</exception>
    public HttpChannel Connect(ParseResult parsed) => Connect(parsed, out _);

    /// <summary>A channel to a daemon that answers.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="party">Whom the certificate names; null without TLS.</param>
    /// <exception cref="CliException">None does, or what TLS needs is not there.</exception>
    public HttpChannel Connect(ParseResult parsed, out Party? party)
    {
        var address = Of(parsed);
        var options = new HttpChannelOptions();
        party = null;
        if (address.IsSecure)
        {
            var certificates = Certificates(parsed, address);
            options = options with { Tls = () => certificates.Current.ForClient() };
            _ = Party.TryOf(certificates.Current.Certificate, out party);
        }

        return IsAnswering(address)
            ? HttpChannel.ForAddress(address, options)
            : throw new CliException($"No daemon answers at {address}. Start one with `hypercalls daemon`.", ExitCode.NoDaemon);
    }

    /// <summary>Whether somebody listens there.</summary>
    /// <exception cref="CliException">The folder of the local socket is not this user's alone: whoever made it could answer.</exception>
    public static bool IsAnswering(GrpcAddress address)
    {
        if (address.SocketPath == LocalSocket.DefaultPath && Directory.Exists(LocalSocket.Folder) && LocalSocket.FolderFault(LocalSocket.Folder) is { } fault)
        {
            throw new CliException(fault);
        }

        try
        {
            using var socket = address.SocketPath is { } path
                ? Connected(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), probe => probe.Connect(new UnixDomainSocketEndPoint(path)))
                : Connected(new Socket(SocketType.Stream, ProtocolType.Tcp), probe => probe.Connect(address.Host, address.Port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private string? Named(ParseResult parsed) => parsed.GetValue(_daemon) ?? Remembered.Daemon ?? Environment.GetEnvironmentVariable("HYPERCALLS_DAEMON");

    private string? Folder(ParseResult parsed) => parsed.GetValue(_tls) ?? Remembered.Tls ?? Environment.GetEnvironmentVariable("HYPERCALLS_TLS");

    private CertificateFolder Certificates(ParseResult parsed, GrpcAddress address)
    {
        var folder = Folder(parsed);
        if (string.IsNullOrEmpty(folder))
        {
            throw new CliException($"{address} takes holders of a certificate alone: give the folder of yours with --tls, or in HYPERCALLS_TLS. `hypercalls cert host NAME` makes one.", ExitCode.BadInput);
        }

        try
        {
            return new(folder, isServer: false, _ => { }, Console.Error.WriteLine);
        }
        catch (CertificateException e)
        {
            throw new CliException(e.Message, ExitCode.BadInput);
        }
    }

    private static Socket Connected(Socket socket, Action<Socket> connect)
    {
        try
        {
            connect(socket);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

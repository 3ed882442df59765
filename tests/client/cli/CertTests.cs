using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>hypercalls cert: what it writes, and what it does not.</summary>
public sealed class CertTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    private string Dir => Path.Combine(_folder, "tls");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsFact("openssl")]
    public async Task Makes_a_CA_and_certificates_that_others_find_good_too()
    {
        await MakeAsync("ca");
        var daemon = await MakeAsync("daemon", "localhost", "127.0.0.1", "::1");
        var host = await MakeAsync("host", "rack1", "--days", "7");
        var ann = await MakeAsync("operator", "ann");
        Assert.Matches(
            $@"^Wrote {Dir}/host-rack1: ca\.pem, cert\.pem and key\.pem of host rack1 until 20[-0-9]+ [:0-9]+ UTC\.\nCopy that folder to the machine, then: hypercalls run --daemon https://DAEMON:7433 --tls {Dir}/host-rack1 --kernel Image\n$", host);
        Assert.EndsWith($"Next: hypercalls daemon --listen 0.0.0.0:7433 --tls {Dir}/daemon\n", daemon, StringComparison.Ordinal);
        Assert.Contains("good for localhost, 127.0.0.1, ::1, until", daemon, StringComparison.Ordinal);
        Assert.EndsWith($"Next: hypercalls machines --daemon https://DAEMON:7433 --tls {Dir}/operator-ann\n", ann, StringComparison.Ordinal);
        foreach (var (party, use, other) in ((string, string, string)[])[("daemon", "sslserver", "sslclient"), ("host-rack1", "sslclient", "sslserver"), ("operator-ann", "sslclient", "sslserver")])
        {
            var certificate = Path.Combine(Dir, party, "cert.pem");
            Assert.Equal((0, $"{certificate}: OK\n"), await OpenSslAsync("verify", "-x509_strict", "-CAfile", Path.Combine(Dir, party, "ca.pem"), "-purpose", use, certificate));
            Assert.NotEqual(0, (await OpenSslAsync("verify", "-CAfile", Path.Combine(Dir, party, "ca.pem"), "-purpose", other, certificate)).Code);
        }

        using var read = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(Dir, "host-rack1", "cert.pem"));
        Assert.Equal("CN=rack1, OU=host", read.Subject);
        Assert.Equal(7 * 24, (read.NotAfter - read.NotBefore).TotalHours, tolerance: 1.01);
    }

    [Fact]
    public async Task Keys_are_for_their_owner_alone()
    {
        await MakeAsync("ca");
        await MakeAsync("host", "rack1");
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Path.Combine(Dir, "ca", "ca-key.pem")));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Path.Combine(Dir, "host-rack1", "key.pem")));
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(Dir, "host-rack1")));
        Assert.Equal(["ca.pem", "cert.pem", "key.pem"], Directory.EnumerateFiles(Path.Combine(Dir, "host-rack1")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task What_is_there_is_replaced_by_force_alone()
    {
        await MakeAsync("ca");
        await MakeAsync("host", "rack1");
        foreach (var (arguments, file) in ((string[], string)[])[(["ca"], "ca/ca-key.pem"), (["host", "rack1"], "host-rack1/key.pem")])
        {
            var path = Path.Combine(Dir, file);
            var before = await File.ReadAllTextAsync(path);
            var tool = await CertAsync(arguments);
            Assert.Equal((2, $"{path} is there already. --force replaces it.\n"), (tool.ExitCode, tool.Errors));
            Assert.Equal(before, await File.ReadAllTextAsync(path));
            await MakeAsync([.. arguments, "--force"]);
            Assert.NotEqual(before, await File.ReadAllTextAsync(path));
        }
    }

    [Theory]
    [InlineData("host rack1", "There is no CA in {0}/ca. Make one first: `hypercalls cert ca`.")]
    [InlineData("ca --days 0", "--days: give 1 to 36500.")]
    [InlineData("host", "Required argument 'name' missing")]
    [InlineData("daemon", "Required argument 'names' missing")]
    [InlineData("guest rack1", "'guest'")]
    public async Task Without_a_CA_or_with_bad_input_a_sentence_says_so(string arguments, string sentence) => await RefusedAsync(arguments, sentence);

    [Theory]
    [InlineData("host rack/1", "rack/1 is no name: letters, digits, '.', '-' and '_', at most 64, the first one a letter or digit.")]
    [InlineData("operator ..", ".. is no name:")]
    [InlineData("daemon local_host!", "local_host! is no host name and no IP address.")]
    [InlineData("daemon localhost *.example", "*.example is no host name and no IP address.")]
    [InlineData("host rack1 --days 4000", "--days 4000 goes past the end of the CA, 20")]
    public async Task Names_and_times_that_cannot_be_are_refused(string arguments, string sentence)
    {
        await MakeAsync("ca");
        await RefusedAsync(arguments, sentence);
        Assert.Equal([Path.Combine(Dir, "ca")], Directory.EnumerateDirectories(Dir));
    }

    [Fact]
    public async Task A_CA_s_key_that_others_can_read_issues_nothing()
    {
        await MakeAsync("ca");
        var key = Path.Combine(Dir, "ca", "ca-key.pem");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        await RefusedAsync("host rack1", $"The key {key} is open to other users. Run: chmod 600 {key}");
    }

    [Fact]
    public async Task What_is_no_CA_issues_nothing()
    {
        await MakeAsync("ca");
        await MakeAsync("host", "rack1");
        foreach (var (from, to) in ((string, string)[])[("cert.pem", "ca.pem"), ("key.pem", "ca-key.pem")])
        {
            File.Copy(Path.Combine(Dir, "host-rack1", from), Path.Combine(Dir, "ca", to), overwrite: true);
        }

        await RefusedAsync("host rack2", "{0}/ca/ca.pem is no CA with an ECDSA key, as `hypercalls cert ca` makes one.");
        await File.WriteAllTextAsync(Path.Combine(Dir, "ca", "ca.pem"), "nothing");
        await RefusedAsync("host rack2", "{0}/ca/ca.pem and {0}/ca/ca-key.pem are no certificate and its key: ");
    }

    [Theory]
    [InlineData("--daemon https://127.0.0.1:1", "https://127.0.0.1:1 takes holders of a certificate alone: give the folder of yours with --tls, or in HYPERCALLS_TLS. `hypercalls cert host NAME` makes one.")]
    [InlineData("--daemon https://127.0.0.1:1 --tls /nonexistent", "/nonexistent/ca.pem cannot be read: ")]
    [InlineData("--daemon https://127.0.0.1 --tls /nonexistent", "'https://127.0.0.1' has no port: https://host:port is needed.")]
    [InlineData("--daemon http://127.0.0.1:1 --tls /nonexistent", "--tls /nonexistent is for a daemon at an https address, and this one is at http://127.0.0.1:1. Name it with --daemon https://host:port.")]
    [InlineData("--daemon /run/daemon.sock --tls /nonexistent", "--tls /nonexistent is for a daemon at an https address, and this one is at unix:/run/daemon.sock.")]
    public async Task A_daemon_and_certificates_that_do_not_go_together_are_one_sentence(string arguments, string sentence)
    {
        foreach (var command in (string[])["machines", "run --kernel /etc/hostname"])
        {
            var tool = await Tool.RunAsync([.. command.Split(' '), .. arguments.Split(' ')]);
            Assert.StartsWith(sentence, tool.Errors, StringComparison.Ordinal);
            Assert.Equal(2, tool.ExitCode);
            Assert.Single(tool.Errors.TrimEnd().Split('\n'));
        }
    }

    private async Task RefusedAsync(string arguments, string sentence)
    {
        var tool = await CertAsync(arguments.Split(' '));
        Assert.Contains(sentence.Replace("{0}", Dir, StringComparison.Ordinal), tool.Errors, StringComparison.Ordinal);
        Assert.Equal(2, tool.ExitCode);
        Assert.DoesNotContain("   at ", tool.Errors, StringComparison.Ordinal);
    }

    private async Task<string> MakeAsync(params string[] arguments)
    {
        var tool = await CertAsync(arguments);
        Assert.Equal((0, ""), (tool.ExitCode, tool.Errors));
        return tool.Output;
    }

    private Task<Tool> CertAsync(string[] arguments) => Tool.RunAsync(["cert", .. arguments, .. arguments is ["guest", ..] ? Array.Empty<string>() : ["--dir", Dir]]);

    private static async Task<(int Code, string Output)> OpenSslAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().Soon();
        await errors;
        return (process.ExitCode, await output);
    }
}

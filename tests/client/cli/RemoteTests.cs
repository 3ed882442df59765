using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Real guests whose daemon is reached over TLS, as it would be on another machine: every part is a process, every certificate the tool's.</summary>
[Collection(QemuMachines.Name)]
public sealed class RemoteTests(GuestImages images) : IAsyncLifetime
{
    private const string Qemu = "qemu-system-aarch64";

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly ConcurrentQueue<string> _log = [];
    private Process? _daemon;
    private string _address = "";

    private string Tls => Path.Combine(_folder, "tls");

    public async Task InitializeAsync()
    {
        foreach (var party in (string[])["ca", "daemon 127.0.0.1", "host rack1", "host rack2", "operator ann"])
        {
            var made = await Tool.RunAsync(["cert", .. party.Split(' '), "--dir", Tls]);
            Assert.Equal((0, ""), (made.ExitCode, made.Errors));
        }

        _daemon = Tool.Start(
            "daemon", "--socket", Path.Combine(_folder, "daemon.sock"), "--plugins", TestDaemon.PluginFolder(_folder, "psci", "smccc", "hello", "trials"),
            "--listen", "127.0.0.1:0", "--tls", Path.Combine(Tls, "daemon"));
        var listening = new TaskCompletionSource<string>();
        _daemon.ErrorDataReceived += (_, line) =>
        {
            _log.Enqueue(line.Data ?? "");
            if (Regex.Match(line.Data ?? "", @"Listening on \S+ and (https://127\.0\.0\.1:\d+) ") is { Success: true } match)
            {
                listening.TrySetResult(match.Groups[1].Value);
            }
        };
        _daemon.BeginErrorReadLine();
        _address = await listening.Task.Soon();
    }

    public async Task DisposeAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", _daemon!.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await _daemon.WaitForExitAsync().Soon();
        }

        Assert.Equal(0, _daemon.ExitCode);
        _daemon.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [NeedsFact(Qemu, "aarch64-linux-gnu-gcc")]
    public async Task A_bare_metal_guest_is_served_and_its_machine_bears_the_certificate_s_name()
    {
        var run = await Tool.RunAsync(["run", "--kernel", images["served"], "--cores", "2", "--memory", "64", .. As("host-rack1")]);
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
        string[] lines = run.Output.TrimEnd().Split('\n');
        Assert.Equal(("PSCI_VERSION: 0x10003", "100 attentions at another core, everything masked: yes", 24), (lines[0], lines[^1], lines.Length));
        Assert.DoesNotContain(lines, line => line.EndsWith(": no", StringComparison.Ordinal));
        await SaysAsync(@" rack1/qemu-\d+ attached: qemu");
        await SaysAsync(@" rack1/qemu-\d+ detached: \d+ calls, 0 fallbacks");
    }

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task An_unmodified_Linux_boots_hotplugs_and_powers_off()
    {
        var run = await Tool.RunAsync([
            "run", "--kernel", DebianKernels.Arm64, "--initrd", DebianKernels.Arm64Initrd, "--init-script", GuestImages.Source("client/cli/Demo/init"),
            "--append", "console=ttyAMA0 rdinit=/init-script quiet", "--cores", "4", "--name", "rack1/linux", "--trace", .. As("host-rack1")]);
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
        string[] lines = run.Output.Split('\n');
        Assert.Equal(
            ["guest: cores 0-3 are online", "guest: cores 0,2-3 are online", "guest: cores 0-3 are online"],
            lines.Where(line => line.StartsWith("guest: ", StringComparison.Ordinal)).Select(line => line.TrimEnd()));
        Assert.Equal(4, lines.Count(line => line.Contains("  CPU_ON(", StringComparison.Ordinal) && line.Contains(" = SUCCESS, power on 0.0.0.", StringComparison.Ordinal)));
        Assert.Single(lines, line => line.Contains("  SYSTEM_OFF() = shut down  ", StringComparison.Ordinal));
    }

    [NeedsTheory(Qemu, "aarch64-linux-gnu-gcc")]
    [InlineData("host-rack2", "hello.machine: host rack2 may not attach rack1/guest: its certificate is good for the machines rack2 and rack2/… alone.")]
    [InlineData("operator-ann", "hello.machine: operator ann may not attach rack1/guest: an operator's certificate attaches no machines; `hypercalls cert host NAME` makes one that does.")]
    public async Task A_machine_of_another_s_name_does_not_run(string party, string sentence)
    {
        var run = await Tool.RunAsync(["run", "--kernel", images["served"], "--memory", "64", "--name", "rack1/guest", .. As(party)]);
        Assert.Equal((1, sentence + "\n"), (run.ExitCode, run.Errors));
        await SaysAsync($"Refused: {Regex.Escape(sentence)}$");
    }

    [Fact]
    public async Task Every_command_reaches_the_daemon()
    {
        foreach (var command in (string[])["services", "machines", "call PSCI_VERSION", "query CPU_ON", "register"])
        {
            var tool = await Tool.RunAsync([.. command.Split(' '), .. As("operator-ann")]);
            Assert.Equal((0, ""), (tool.ExitCode, tool.Errors));
        }

        Assert.DoesNotContain(_log, line => line.Contains("Refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_of_another_CA_is_refused_by_both_ends()
    {
        foreach (var party in (string[])["ca", "host rack1"])
        {
            Assert.Equal(0, (await Tool.RunAsync(["cert", .. party.Split(' '), "--dir", Path.Combine(_folder, "other")])).ExitCode);
        }

        var folder = Path.Combine(_folder, "other", "host-rack1");
        var distrusting = await Tool.RunAsync("machines", "--daemon", _address, "--tls", folder);
        Assert.Equal((1, "The certificate of the daemon was not issued by the CA in ca.pem.\n"), (distrusting.ExitCode, distrusting.Errors));
        // Trusts both, and shows what only the other one has issued.
        await File.AppendAllTextAsync(Path.Combine(folder, "ca.pem"), await File.ReadAllTextAsync(Path.Combine(Tls, "daemon", "ca.pem")));
        var refused = await Tool.RunAsync("machines", "--daemon", _address, "--tls", folder);
        Assert.Equal((3, "The server hung up without an answer. Where it refuses this certificate, its log says why.\n"), (refused.ExitCode, refused.Errors));
        await SaysAsync(@"Refused: 127\.0\.0\.1:\d+: its certificate, which names host rack1, was not issued by the CA in ca\.pem$");
    }

    [Fact]
    public async Task The_environment_names_daemon_and_certificates_too()
    {
        var start = new ProcessStartInfo("dotnet", [Tool.Path, "call", "PSCI_VERSION"]) { RedirectStandardOutput = true };
        start.Environment["HYPERCALLS_DAEMON"] = _address;
        start.Environment["HYPERCALLS_TLS"] = Path.Combine(Tls, "host-rack1");
        using var tool = Process.Start(start)!;
        Assert.StartsWith("PSCI_VERSION (0x8400_0000) = 0x10003", await tool.StandardOutput.ReadToEndAsync().Soon(), StringComparison.Ordinal);
        await tool.WaitForExitAsync().Soon();

        // A daemon without TCP has no use for what the environment says to clients, broken as it may be.
        start = new ProcessStartInfo("dotnet", [Tool.Path, "daemon", "--socket", Path.Combine(_folder, "second.sock"), "--plugins", Path.Combine(_folder, "plugins")]) { RedirectStandardError = true };
        start.Environment["HYPERCALLS_TLS"] = "/nonexistent";
        using var daemon = Process.Start(start)!;
        var said = await daemon.StandardError.ReadLineAsync().Soon();
        using var kill = Process.Start("kill", ["-TERM", daemon.Id.ToString(CultureInfo.InvariantCulture)]);
        await daemon.WaitForExitAsync().Soon();
        Assert.Contains("Listening on ", said, StringComparison.Ordinal);
    }

    /// <summary>What the daemon prints arrives a little later than what it answers.</summary>
    private async Task SaysAsync(string pattern)
    {
        var started = Stopwatch.GetTimestamp();
        while (!_log.Any(line => Regex.IsMatch(line, pattern)))
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), $"The log does not say '{pattern}' but:\n{string.Join('\n', _log)}");
            await Task.Delay(10);
        }
    }

    private string[] As(string party) => ["--daemon", _address, "--tls", Path.Combine(Tls, party)];
}

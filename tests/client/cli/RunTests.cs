using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Real guests, a real daemon: guest, monitor, vCPU host, gRPC, daemon, service, and back.</summary>
[Collection(QemuMachines.Name)]
public sealed class RunTests(GuestImages images) : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsTheory(Qemu, DebianKernels.Arm64)]
    [InlineData("smc")]
    [InlineData("hvc")]
    public async Task An_unmodified_Linux_boots_hotplugs_and_powers_off(string conduit)
    {
        var run = await Tool.RunAsync(Linux("--conduit", conduit, "--trace", "--table"));
        Assert.Equal(0, run.ExitCode);
        string[] lines = run.Output.Split('\n');
        Assert.Contains("No daemon listens: a private one runs for this guest", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.TrimEnd().EndsWith("psci: PSCIv1.3 detected in firmware.", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("smp: Brought up 1 node, 4 CPUs", StringComparison.Ordinal));
        Assert.Equal(
            ["guest: cores 0-3 are online", "guest: cores 0,2-3 are online", "guest: cores 0-3 are online"],
            lines.Where(line => line.StartsWith("guest: ", StringComparison.Ordinal)).Select(line => line.TrimEnd()));
        for (var core = 1; core <= 3; core++)
        {
            Assert.Contains(lines, line => System.Text.RegularExpressions.Regex.IsMatch(
                line, $@"^core 0  CPU_ON\(0x{core}, 0x[0-9a-f]+, 0x0\) = SUCCESS, power on 0\.0\.0\.{core}  [0-9.]+ (ns|µs|ms)$"));
        }

        Assert.Contains(lines, line => line.StartsWith("core 1  CPU_OFF() = power off  ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("  SYSTEM_OFF() = shut down  ", StringComparison.Ordinal));
        Assert.Matches(@"\| CPU_ON +\| 4 +\| [0-9.]+ (µs|ms) +\| [0-9.]+ (µs|ms) +\| SUCCESS 4× +\|", run.Output);
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task A_stranger_s_service_answers_a_real_guest()
    {
        var plugins = TestDaemon.PluginFolder(_folder, "psci", "hello", "trials");
        var run = await Tool.RunAsync("run", "--kernel", images["served"], "--cores", "2", "--memory", "64", "--plugins", plugins);
        Assert.Equal(
            """
            PSCI_VERSION: 0x10003
            HELLO_ADD(40, 2): 0x2a
            smc keeps x4 to x30 and its stack pointers: yes
            smc gets x0 to x3: yes
            hvc keeps x4 to x30 and its stack pointers: yes
            hvc gets x0 to x3: yes
            smc #1 reaches its service by conduit 1, immediate: 0x1
            smc #0xffff reaches its service by conduit 1, immediate: 0xffff
            hvc #1 reaches its service by conduit 2, immediate: 0x1
            hvc #0xe200 reaches its service by conduit 2, immediate: 0xe200
            x5, x9 and x17 alone are written: yes
            x6 to x17 add up to: 0x8a
            memory holds: 0x102030405060708
            SMC32 arguments are 32 bits wide: 0x2
            the upper half of x0 is ignored: 0x10003
            a service that throws gives -1, x1 to x3 zero: yes
            a function that nobody serves gives -1, x1 to x3 zero: yes
            a reserved bit gives -1, x1 to x3 zero: yes
            attention before the next instruction, a call gives: 0x7
            and the handler has run: yes
            300 attentions under HVC: yes
            CPU_ON: 0x0
            context: 0x77
            100 attentions at another core, everything masked: yes

            """,
            string.Join('\n', run.Output.Split('\n').Skip(1).Where(line => !IsReport(line))));
        Assert.Contains("TRIALS failed in THROW: InvalidOperationException: This service is broken.", Assert.Single(run.Output.Split('\n'), IsReport), StringComparison.Ordinal);
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, "arm-linux-gnueabihf-gcc")]
    public async Task An_AArch32_guest_is_served_by_a_real_daemon()
    {
        var plugins = TestDaemon.PluginFolder(_folder, "psci", "hello", "trials", "sdei");
        var run = await Tool.RunAsync("run", "--kernel", images.AArch32("served"), "--raw", "--aarch32", "--memory", "64", "--plugins", plugins);
        Assert.Equal(
            """
            PSCI_VERSION: 0x10003
            and by HVC: 0x10003
            NARROW(41): 0x2a
            CPU_ON as SMC64 gives -1, r1 to r3 zero: yes
            HELLO_ADD, which is SMC64 gives -1, r1 to r3 zero: yes
            SDEI_VERSION, which is SMC64 gives -1, r1 to r3 zero: yes
            SDEI_VERSION with an SMC32 identifier gives -1, r1 to r3 zero: yes
            a function that nobody serves gives -1, r1 to r3 zero: yes
            smc #15, which nobody claims gives -1, r1 to r3 zero: yes
            A32 smc #1 reaches its service by conduit 0x1, immediate: 0x1
            T32 smc #1 reaches its service by conduit 0x1, immediate: 0x1
            A32 hvc #0xffff reaches its service by conduit 0x2, immediate: 0xffff
            CPU_ON: 0x0
            context: 0x77

            """,
            string.Join('\n', run.Output.Split('\n').Skip(1)));
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task A_run_that_is_told_to_end_leaves_neither_QEMU_nor_daemon_behind()
    {
        using var run = Tool.Start(Linux());
        var first = (await run.StandardOutput.ReadLineAsync().Soon())!;
        var daemon = int.Parse(System.Text.RegularExpressions.Regex.Match(first, @"process (\d+)").Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        while (await run.StandardOutput.ReadLineAsync().Soon() is { } line && !line.StartsWith("guest: ", StringComparison.Ordinal))
        {
            // Until the guest has come up.
        }

        int[] children = [.. Children(run.Id)];
        Assert.Contains(daemon, children);
        Assert.Equal(2, children.Length);
        using var kill = System.Diagnostics.Process.Start("kill", ["-TERM", run.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await run.StandardOutput.ReadToEndAsync().Soon();
        await run.WaitForExitAsync().Soon();
        Assert.All(children, child => Assert.False(Directory.Exists($"/proc/{child}"), $"process {child} is left"));
    }

    [NeedsFact(Qemu, Compiler, "script")]
    public async Task On_a_terminal_every_key_goes_to_the_guest_until_Ctrl_A_x()
    {
        using var run = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "script", ["-qec", $"dotnet {Tool.Path} run --kernel {images["typed"]} --cores 1 --memory 64", "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        await ReadUntilAsync(run, "type\n");
        await TypeAsync(run, "ab\u0003c\u0001\u0001d");
        // No echo of the terminal, Ctrl-C and the doubled Ctrl-A as bytes of the guest.
        Assert.Equal("AB\u0003C\u0001D", await ReadUntilAsync(run, "D"));
        await TypeAsync(run, "\u0001x");
        await run.WaitForExitAsync().Soon();
        Assert.Equal(0, run.ExitCode);
    }

    [NeedsFact(Qemu, DebianKernels.Arm64)]
    public async Task Two_runs_side_by_side_do_not_disturb_each_other()
    {
        await using var daemon = new OwnedDaemon();
        await daemon.InitializeAsync();
        var both = await Task.WhenAll(
            Tool.RunAsync(Linux("--daemon", daemon.Socket, "--name", "left", "--trace")),
            Tool.RunAsync(Linux("--daemon", daemon.Socket, "--name", "right", "--trace")));
        foreach (var run in both)
        {
            Assert.Equal((0, ""), (run.ExitCode, run.Errors));
            Assert.Equal(3, run.Output.Split("guest: cores ").Length - 1);
            Assert.Single(run.Output.Split('\n'), line => line.Contains("SYSTEM_OFF() = shut down", StringComparison.Ordinal));
            Assert.Equal(4, run.Output.Split("CPU_ON(").Length - 1);
        }
    }

    [NeedsTheory(Qemu)]
    [InlineData("--kernel /nonexistent/Image", 1, "/nonexistent/Image")]
    [InlineData("--kernel /etc/hostname", 1, "/etc/hostname")]
    [InlineData("--kernel /etc/hostname --cores 17", 2, "--cores: a machine has 1 to 16.")]
    [InlineData("--kernel /etc/hostname --el 3", 2, "--el: a guest starts at 1 or 2.")]
    [InlineData("--kernel /etc/hostname --el 2 --conduit hvc", 2, "A guest at EL2 calls by SMC: its HVC goes to itself.")]
    [InlineData("--kernel /etc/hostname --aarch32", 2, "--aarch32: a kernel says itself what it starts in; this is for --raw.")]
    [InlineData("--kernel /etc/hostname --raw --aarch32 --el 2", 2, "/etc/hostname is an AArch32 kernel: this host starts it at EL1 only.")]
    [InlineData("--kernel /etc/hostname --raw --aarch32 --cpu neoverse-n1", 2, "The CPU neoverse-n1 knows no AArch32 at EL1: an AArch32 kernel cannot start on it.")]
    [InlineData("--kernel /etc/hostname --raw --el 2 --cpu cortex-a57,has_el2=off", 2, "The CPU cortex-a57,has_el2=off has no EL2: no guest can start there.")]
    [InlineData("--kernel /etc/hostname --qemu /nonexistent/qemu", 1, "qemu-system-arm")]
    [InlineData("--kernel /etc/hostname --plugins /nonexistent/plugins", 1, "The plugin folder /nonexistent/plugins does not exist.")]
    [InlineData("--kernel /etc/hostname --set SMCCC.verson=1.1", 1, "--set SMCCC.verson=1.1: there is no such setting; did you mean version?")]
    [InlineData("--kernel /etc/hostname --settings /nonexistent/services.json", 1, "/nonexistent/services.json does not exist.")]
    [InlineData("--kernel /etc/hostname --daemon /nonexistent/socket --set PSCI.version=1.0", 2, "this run uses the one at unix:/nonexistent/socket. Start that one with it: `hypercalls daemon --set PSCI.version=1.0`.")]
    [InlineData("--kernel /etc/hostname --daemon /nonexistent/socket", 3, "No daemon answers at unix:/nonexistent/socket.")]
    [InlineData("--kernel /etc/hostname --fallback perhaps", 2, "--fallback perhaps: perhaps is none of not-supported, wait, stop.")]
    [InlineData("--kernel /etc/hostname --fallback CPU_OON=wait", 2, "--fallback CPU_OON: no service has a function of that name.")]
    [InlineData("--kernel /etc/hostname --fallback 0x84000002-0x84000001=wait", 2, "--fallback 0x84000002-0x84000001: the range ends before it begins.")]
    [InlineData("--kernel /etc/hostname --fallback 0x184000002=wait", 2, "0x184000002 is wider than the 32 bits of a function ID.")]
    [InlineData("--kernel /etc/hostname --retries -1", 2, "--retries: 0 to 1000.")]
    [InlineData("", 2, "--kernel")]
    public async Task What_cannot_run_is_one_sentence(string arguments, int exitCode, string sentence)
    {
        var run = await Tool.RunAsync(["run", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.Contains(sentence, run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
        Assert.Equal(exitCode, run.ExitCode);
    }

    private static async Task TypeAsync(System.Diagnostics.Process terminal, string keys)
    {
        await terminal.StandardInput.WriteAsync(keys);
        await terminal.StandardInput.FlushAsync();
    }

    private static async Task<string> ReadUntilAsync(System.Diagnostics.Process terminal, string end)
    {
        var read = new System.Text.StringBuilder();
        var letter = new char[1];
        while (!read.ToString().EndsWith(end, StringComparison.Ordinal) && await terminal.StandardOutput.ReadAsync(letter).AsTask().Soon() == 1)
        {
            read.Append(letter);
        }

        return read.ToString();
    }

    private static bool IsReport(string line) => line.Contains(" failed in ", StringComparison.Ordinal);

    private static IEnumerable<int> Children(int parent) =>
        Directory.EnumerateDirectories($"/proc/{parent}/task")
            .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(child => int.Parse(child, System.Globalization.CultureInfo.InvariantCulture));

    private static string[] Linux(params string[] more) =>
    [
        "run", "--kernel", DebianKernels.Arm64, "--initrd", DebianKernels.Arm64Initrd, "--init-script", GuestImages.Source("client/cli/Demo/init"),
        "--append", "console=ttyAMA0 rdinit=/init-script quiet", "--cores", "4", .. more,
    ];

    private sealed class OwnedDaemon : IAsyncDisposable
    {
        private readonly TestDaemon _daemon = new();

        public string Socket => _daemon.Socket;

        public Task InitializeAsync() => _daemon.InitializeAsync();

        public async ValueTask DisposeAsync() => await _daemon.DisposeAsync();
    }
}

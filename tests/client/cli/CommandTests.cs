using System.Text.Json;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

public sealed class CommandTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    [Theory]
    [InlineData("", "run new daemon call query register services machines state sdei raise trace cert doctor")]
    [InlineData("run", "--kernel --initrd --append --cores --memory --conduit --settings --set --allow-shadowed --fallback --retries Ctrl-A")]
    [InlineData("new", "name --output hypercall-service")]
    [InlineData("daemon", "--socket --listen --tls --plugins --settings --set --keep-going")]
    [InlineData("call", "--machine --apply --json")]
    [InlineData("query", "--machine --profile --conduit --imm --a32 --json linux-6.12-defaults")]
    [InlineData("register", "--machine --profile --conduit --imm --a32 --a64 --filter --json linux-7.2-forward-all")]
    [InlineData("services", "--json")]
    [InlineData("machines", "--json")]
    [InlineData("state", "service --machine --json")]
    [InlineData("sdei", "--machine --json `state")]
    [InlineData("raise", "event --service --core --machine --json 0.0.0.1 refused")]
    [InlineData("trace", "-f --machine --json")]
    [InlineData("machines", "--daemon https:// --tls HYPERCALLS_DAEMON HYPERCALLS_TLS")]
    [InlineData("cert", "ca daemon host operator")]
    [InlineData("cert ca", "--dir --days --force")]
    [InlineData("cert daemon", "names --dir --days --force")]
    [InlineData("cert host", "name --dir --days --force")]
    [InlineData("doctor", "--json")]
    public async Task Every_command_has_help(string command, string words)
    {
        var help = await Tool.RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.Equal(0, help.ExitCode);
        Assert.All(words.Split(' '), word => Assert.Contains(word, help.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("call PSCI_VERSION", "PSCI_VERSION (0x8400_0000) = 0x10003   by PSCI\nx0 0x10003  x1 0x0  x2 0x0  x3 0x0\n")]
    [InlineData("call 0x84000000", "PSCI_VERSION (0x8400_0000) = 0x10003   by PSCI\nx0 0x10003  x1 0x0  x2 0x0  x3 0x0\n")]
    [InlineData("call HELLO_ADD 40 2", "HELLO_ADD (0xC200_0001) = 0x2a   by HELLO\nx0 0x2a  x1 0x0  x2 0x0  x3 0x0\n")]
    [InlineData("call SYSTEM_OFF", "SYSTEM_OFF (0x8400_0008) = shut down   by PSCI\n")]
    [InlineData("call SDEI_VERSION", "SDEI_VERSION (0xC400_0020) = NOT_SUPPORTED   by nobody\nx0 0xffffffffffffffff  x1 0x0  x2 0x0  x3 0x0\n")]
    [InlineData("call 0xC4000003 --a32 1 2 3", "CPU_ON (0xC400_0003) = NOT_SUPPORTED   by nobody\nx0 0xffffffffffffffff  x1 0x0  x2 0x0  x3 0x0\n")]
    [InlineData("query CPU_ON", "0xC400_0003 CPU_ON: PSCI\n")]
    [InlineData("query 0xC4000020", "0xC400_0020 SDEI_VERSION: nobody: NOT_SUPPORTED\n")]
    [InlineData("query CPU_ON --a32", "0x8400_0003 CPU_ON: PSCI\n")]
    [InlineData("query 0xC4000003 --a32", "0xC400_0003 CPU_ON: nobody: NOT_SUPPORTED\n")]
    [InlineData("query 0 --conduit hvc --imm 0xE200", "0x0000_0000 TRIALS immediate: TRIALS\n")]
    [InlineData("query 0x84000000 --profile linux-7.2-defaults", "0x8400_0000 PSCI_VERSION: the kernel (PSCI version register: 1.3), and PSCI never sees it\n")]
    [InlineData("query SYSTEM_OFF2 --profile linux-6.12-defaults --conduit hvc", "0xC400_0015 SYSTEM_OFF2: claimed by the kernel, but not served (PSCI version register: 1.1 has no such function), and PSCI never sees it\n")]
    [InlineData("query CPU_ON --profile linux-6.1-defaults", "0xC400_0003 CPU_ON: denied (KVM before Linux 6.4 answers every SMC with NOT_SUPPORTED), and PSCI never sees it\n")]
    [InlineData("query CPU_ON --profile linux-6.12-forward-all", "0xC400_0003 CPU_ON: PSCI\n")]
    public async Task Says_in_words(string command, string output)
    {
        var tool = await RunAsync(command);
        Assert.Equal((0, output, ""), (tool.ExitCode, tool.Output, tool.Errors));
    }

    [Fact]
    public async Task Lists_as_tables_and_as_JSON()
    {
        var table = await RunAsync("services");
        Assert.Contains("| CPU_ON ", table.Output, StringComparison.Ordinal);
        Assert.Contains("0x8400_0003 0xC400_0003", table.Output, StringComparison.Ordinal);
        var services = JsonDocument.Parse((await RunAsync("services --json")).Output);
        Assert.Contains(services.RootElement.GetProperty("services").EnumerateArray(), service => service.GetProperty("name").GetString() == "PSCI");
        var machines = JsonDocument.Parse((await RunAsync("machines --json")).Output);
        Assert.Equal(JsonValueKind.Array, machines.RootElement.GetProperty("machines").ValueKind);
        Assert.Contains("machine", (await RunAsync("machines")).Output, StringComparison.Ordinal);
        var reply = JsonDocument.Parse((await RunAsync("call PSCI_VERSION --json")).Output);
        Assert.Equal("PSCI_VERSION", reply.RootElement.GetProperty("function").GetString());
        var doctor = JsonDocument.Parse((await Tool.RunAsync("doctor", "--json")).Output);
        Assert.Equal(["SDK", "QEMU", "kernel", "socket", "plugins", "KVM", "runs"], doctor.RootElement.EnumerateArray().Select(finding => finding.GetProperty("what").GetString()));
    }

    [Fact]
    public async Task The_register_is_a_table_for_each_way_to_call_that_differs()
    {
        string[] lines = (await RunAsync("register --profile linux-7.2-forward-all")).Output.Split('\n');
        Assert.Equal(
            [
                "SMC from AArch64, immediate 0",
                "SMC from AArch64, immediate 0x1; SMC from AArch64, immediate 0xE200; SMC from AArch64, immediate 0xE208; SMC from AArch64, immediate 0xFFFF",
            ],
            lines.Where(line => line.StartsWith("SMC from AArch64, immediate", StringComparison.Ordinal)));
        Assert.Matches(@"^\| 0x8000_0000 +\| 0x8000_0000 +\| SMCCC_VERSION +\| the kernel \(always\), and SMCCC never sees it +\|$", lines.First(line => line.Contains(" SMCCC_VERSION ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_register_as_JSON_is_complete_for_each_way_to_call()
    {
        var tool = await RunAsync("register --json");
        var next = new Dictionary<string, ulong>();
        foreach (var line in tool.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var range = JsonDocument.Parse(line).RootElement;
            var way = $"{range.GetProperty("conduit")} {range.GetProperty("executionState")} {range.GetProperty("immediate")}";
            Assert.Equal(next.GetValueOrDefault(way), range.GetProperty("first").GetUInt32());
            next[way] = range.GetProperty("last").GetUInt32() + 1ul;
        }

        // TRIALS takes four immediates by SMC and three by HVC; 0 and one for all others beside them, and that from two states.
        Assert.Equal((6 + 5) * 2, next.Count);
        Assert.All(next.Values, end => Assert.Equal(1ul << 32, end));
    }

    [Fact]
    public async Task The_filter_that_a_host_must_install_leaves_out_what_is_reserved_and_merges_neighbours()
    {
        var plain = new TestDaemon("psci", "smccc", "hello");
        await plain.InitializeAsync();
        try
        {
            var tool = await Tool.RunAsync("register", "--filter", "--daemon", plain.Socket);
            string[] ids = [.. tool.Output.Split('\n').Where(line => line.StartsWith("| 0x", StringComparison.Ordinal)).Select(line => string.Join(' ', line.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))];
            Assert.Equal(
                [
                    "0x8200_0000 0x8200_0002 3", "0x8400_0000 0x8400_0004 5", "0x8400_0006 0x8400_0006 1", "0x8400_0008 0x8400_0015 14", "0xC200_0001 0xC200_0001 1",
                    "0xC400_0001 0xC400_0001 1", "0xC400_0003 0xC400_0004 2", "0xC400_000C 0xC400_000E 3", "0xC400_0010 0xC400_0012 3", "0xC400_0014 0xC400_0015 2",
                ],
                ids);
        }
        finally
        {
            await plain.DisposeAsync();
        }
    }

    [Fact]
    public async Task Where_a_service_takes_immediates_of_HVC_everything_is_forwarded()
    {
        var tool = await RunAsync("register --filter");
        Assert.Contains("| 0xC001_0000 | 0xFFFF_FFFF | 1073676288 |", tool.Output, StringComparison.Ordinal);
        Assert.EndsWith("All that a kernel can forward, because immediates of HVC come with any w0: TRIALS takes some.\n", tool.Output, StringComparison.Ordinal);
        Assert.Equal(3, (await RunAsync("register --filter --json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData("call CPU_OM", 2, "name: no table knows CPU_OM. Did you mean CPU_ON")]
    [InlineData("call 0x184000000", 2, "0x184000000 is wider than the 32 bits of a function ID.")]
    [InlineData("call 0x84zz0000", 2, "0x84zz0000 is not a function ID")]
    [InlineData("call PSCI_VERSION one", 2, "one is not an argument")]
    [InlineData("call PSCI_VERSION --imm 0x10000", 2, "0x10000 is wider than the 16 bits of an immediate.")]
    [InlineData("call PSCI_VERSION --machine nobody", 2, "machine: no machine is named nobody.")]
    [InlineData("call", 2, "Required argument 'function' missing")]
    [InlineData("query CPU_ON --conduit svc", 2, "svc")]
    [InlineData("query CPU_OM", 2, "name: no table knows CPU_OM. Did you mean CPU_ON")]
    [InlineData("query HELLO_AD", 2, "name: no table knows HELLO_AD. Did you mean HELLO_ADD")]
    [InlineData("query 0x184000000", 2, "0x184000000 is wider than the 32 bits of a function ID.")]
    [InlineData("query CPU_ON --imm 0x10000", 2, "0x10000 is wider than the 16 bits of an immediate.")]
    [InlineData("query CPU_ON --machine nobody", 2, "machine: no machine is named nobody. `hypercalls machines` lists them.")]
    [InlineData("query CPU_ON --profile linux-2.6", 2, "No profile is named linux-2.6: there are linux-6.1-defaults, linux-6.12-defaults, ")]
    [InlineData("query CPU_ON --profile linux-6.1-defaults --machine m", 2, "--machine and --profile exclude each other: give the one whose register you want.")]
    [InlineData("register --imm 65536", 2, "65536 is wider than the 16 bits of an immediate.")]
    [InlineData("register --machine nobody", 2, "machine: no machine is named nobody.")]
    [InlineData("register --filter --a32", 2, "--filter takes no machine, profile or way to call")]
    [InlineData("dance", 2, "'dance'")]
    public async Task Bad_input_is_one_sentence_and_its_exit_code(string command, int exitCode, string sentence)
    {
        var tool = await RunAsync(command);
        Assert.Contains(sentence, tool.Errors, StringComparison.Ordinal);
        Assert.Equal(exitCode, tool.ExitCode);
        Assert.DoesNotContain("   at ", tool.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_daemon_a_sentence_says_how_to_start_one()
    {
        var tool = await Tool.RunAsync("services", "--daemon", "/nonexistent/daemon.sock");
        Assert.Equal((3, "No daemon answers at unix:/nonexistent/daemon.sock. Start one with `hypercalls daemon`.\n"), (tool.ExitCode, tool.Errors));
    }

    [Fact]
    public async Task Trace_shows_calls_of_the_chosen_function_as_they_happen()
    {
        using var trace = Tool.Start("trace", "-f", "CPU_ON", "--daemon", daemon.Socket);
        try
        {
            // It watches once a call of ours is shown.
            var line = trace.StandardOutput.ReadLineAsync();
            for (var tries = 0; tries < 1000 && !line.IsCompleted; tries++)
            {
                await daemon.Hypercalls.CallAsync(new() { Name = "PSCI_VERSION" });
                await daemon.Hypercalls.CallAsync(new() { Name = "CPU_ON", Arguments = { 0, 0x4008_0000, 7 } });
                await Task.WhenAny(line, Task.Delay(50));
            }

            Assert.Matches(@"^scratch  core 0  CPU_ON\(target_cpu=0x0, entry_point_address=0x40080000, context_id=0x7\) = ALREADY_ON  [0-9.]+ (ns|µs|ms)$", await line.Soon());
        }
        finally
        {
            trace.Kill();
        }
    }

    private Task<Tool> RunAsync(string command) => Tool.RunAsync([.. command.Split(' '), .. command == "dance" ? Array.Empty<string>() : ["--daemon", daemon.Socket]]);
}

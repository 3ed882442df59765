using System.Text.Json;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

public sealed class CommandTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    [Theory]
    [InlineData("", "run daemon call query services machines trace cert doctor")]
    [InlineData("run", "--kernel --initrd --append --cores --memory --conduit --settings --set Ctrl-A")]
    [InlineData("daemon", "--socket --listen --tls --plugins --settings --set --keep-going")]
    [InlineData("call", "--machine --apply --json")]
    [InlineData("query", "--machine --conduit --imm --a32 --json")]
    [InlineData("services", "--json")]
    [InlineData("machines", "--json")]
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
        Assert.Equal(["SDK", "QEMU", "kernel", "socket", "plugins", "KVM"], doctor.RootElement.EnumerateArray().Select(finding => finding.GetProperty("what").GetString()));
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

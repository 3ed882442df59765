using System.Text.Json;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>run --service and --calls: from the source of a service to what a guest gets of it.</summary>
[Collection(QemuMachines.Name)]
public sealed class ServiceLoopTests(GuestImages images) : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    private static readonly string s_trials = Path.Combine(TestDaemon.Artifacts, "test-plugins", "trials");

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsFact(Qemu)]
    public async Task A_service_is_built_and_called_changed_and_called_again()
    {
        var source = WriteAcme();
        File.WriteAllText(Path.Combine(_folder, "Acme", "services.json"), """{ "ACME": { "step": 5 } }""");
        var run = await RunAsync("--service", Path.Combine(_folder, "Acme"), "--calls", "ACME_ADD 1 -2; 0xC3000001 40 2; ACME_COUNT; ACME_COUNT; PSCI_VERSION; HELLO_VERSION_1");
        Assert.Equal((2, "", "--calls: call 6, line 1, column 71: no table knows HELLO_VERSION_1. Give an ID, or a name that `hypercalls services` lists.\n"), run);
        run = await RunAsync("--service", Path.Combine(_folder, "Acme"), "--calls", "ACME_ADD 1 -2; 0xC3000001 40 2; ACME_COUNT; ACME_COUNT; PSCI_VERSION");
        Assert.Equal(
            (0,
            """
            ACME_ADD(1, -2)  x0 0xffffffffffffffff  x1 0x0  x2 0x0  x3 0x0
            ACME_ADD(40, 2)  x0 0x2a  x1 0x0  x2 0x0  x3 0x0
            ACME_COUNT()  x0 0x5  x1 0x0  x2 0x0  x3 0x0
            ACME_COUNT()  x0 0xa  x1 0x0  x2 0x0  x3 0x0
            PSCI_VERSION()  x0 0x10003  x1 0x0  x2 0x0  x3 0x0

            """,
            ""), run);
        File.WriteAllText(source, File.ReadAllText(source).Replace("call[1] + call[2]", "call[1] * call[2]", StringComparison.Ordinal));
        Assert.Equal((0, "ACME_ADD(6, 7)  x0 0x2a  x1 0x0  x2 0x0  x3 0x0\n", ""), await RunAsync("--service", Path.Combine(_folder, "Acme", "Acme"), "--calls", "ACME_ADD 6 7"));
        var set = await RunAsync("--service", Path.Combine(_folder, "Acme"), "--calls", "ACME_COUNT", "--set", "ACME.step=7");
        Assert.Equal((0, "ACME_COUNT()  x0 0x7  x1 0x0  x2 0x0  x3 0x0\n", ""), set);
    }

    [Fact]
    public async Task What_does_not_build_is_shown_by_the_compiler_s_lines_alone()
    {
        var source = WriteAcme();
        File.WriteAllText(source, File.ReadAllText(source).Replace("call[1] + call[2]", "call[1] + \"2\"u8", StringComparison.Ordinal).Replace("Answer.Value(0x1_0000)", "Answer.Valu(1)", StringComparison.Ordinal));
        var (exitCode, output, errors) = await RunAsync("--service", Path.Combine(_folder, "Acme"), "--calls", "ACME_VERSION");
        string[] lines = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((1, "", 2), (exitCode, output, lines.Length));
        Assert.All(lines, line => Assert.Matches($@"^{source}\(\d+,\d+\): error CS\d+: [^\[]*$", line));
    }

    [Fact]
    public async Task Without_calls_the_functions_are_listed_with_calls_to_be_copied()
    {
        WriteAcme();
        var folder = Path.Combine(_folder, "Acme");
        Assert.Equal(
            (2, "",
            $"""
            ACME 1.0
              ACME_VERSION  0x8300_0000
              ACME_ADD a b  0x8300_0001 0xC300_0001
              ACME_COUNT    0x8300_0002
            Say which to call: hypercalls run --service {folder} --calls "ACME_VERSION; ACME_ADD 1 2; ACME_COUNT"

            """),
            await RunAsync("--service", folder));
    }

    [NeedsFact(Qemu)]
    public async Task Memory_immediates_and_all_registers_go_to_the_service_and_come_back()
    {
        var script = Path.Combine(_folder, "calls.txt");
        await File.WriteAllTextAsync(
            script,
            """
            # What TRIALS does with its arguments
            WRITE [24]
            write '12345678 and more'; WRITE [8] 'kept'
            MASKED 1 2 3 4 5 6
            USES 0 0 0 0 0 6 7 8 9 10 11 12 13 14 15 16 17
            hvc SEVEN
            smc#1 7 41; hvc#0xFFFF 8 42   # claimed immediates
            smc#3 SEVEN
            0x8300_0021 -1
            THROW
            """);
        var (exitCode, output, errors) = await RunAsync("--service", s_trials, "--calls", "@" + script);
        Assert.Equal((0, ""), (exitCode, errors));
        string[] lines = output.Split('\n');
        Assert.Equal(
            """
            WRITE([24])  x0 0x0  x1 0x0  x2 0x0  x3 0x0
              x1+0x00  08 07 06 05 04 03 02 01 00 00 00 00 00 00 00 00  ................
            WRITE('12345678 and more')  x0 0x0  x1 0x0  x2 0x0  x3 0x0
              x1+0x00  08 07 06 05 04 03 02 01 20 61 6e 64 20 6d 6f 72  ........ and mor
            WRITE([8], 'kept')  x0 0x0  x1 0x0  x2 0x0  x3 0x0
              x1+0x00  08 07 06 05 04 03 02 01                          ........
            MASKED(1, 2, 3, 4, 5, 6)  x0 0xc3000009  x1 0x1  x2 0x2  x3 0x3  x9 0x9  x17 0x11
            USES(0, 0, 0, 0, 0, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)  x0 0x8a  x1 0x0  x2 0x0  x3 0x0
            hvc SEVEN()  x0 0x7  x1 0x0  x2 0x0  x3 0x0
            smc#1 TRIALS immediate(41)  x0 0x2a  x1 0x1  x2 0x1  x3 0x1
            hvc#0xFFFF TRIALS immediate(42)  x0 0x2b  x1 0xffff  x2 0x2  x3 0x1
            smc#3 SEVEN()  x0 0xffffffffffffffff  x1 0x0  x2 0x0  x3 0x0
            NARROW(-1)  x0 0x0  x1 0x0  x2 0x0  x3 0x0
            THROW()  x0 0xffffffffffffffff  x1 0x0  x2 0x0  x3 0x0

            """,
            string.Join('\n', lines.Where(line => !IsReport(line))));
        Assert.Contains("TRIALS failed in THROW: InvalidOperationException: This service is broken.", Assert.Single(lines, IsReport), StringComparison.Ordinal);
    }

    [NeedsFact(Qemu)]
    public async Task As_JSON_every_register_and_all_memory_is_there()
    {
        var (exitCode, output, errors) = await RunAsync("--service", s_trials, "--json", "--trace", "--calls", "hvc ECHO 6 5; WRITE 0x40000000; WRITE [8]; CPU_OFF");
        var calls = JsonDocument.Parse(output).RootElement;
        Assert.Equal((0, 4), (exitCode, calls.GetArrayLength()));
        Assert.Equal(
            """{"function":"ECHO","id":"0xc3000000","conduit":"hvc","imm":0,"arguments":["6","5"],"x":["0x7","0x0","0x2","0x1","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0","0x0"],"memory":[],"doesNotReturn":null}""",
            calls[0].GetRawText());
        var memory = Assert.Single(calls[2].GetProperty("memory").EnumerateArray());
        Assert.Equal((1, "0807060504030201"), (memory.GetProperty("register").GetInt32(), memory.GetProperty("bytes").GetString()![..16]));
        Assert.Matches("^0x404[0-9a-f]{5}$", memory.GetProperty("address").GetString());
        Assert.Equal(("its core is off", JsonValueKind.Null), (calls[3].GetProperty("doesNotReturn").GetString(), calls[3].GetProperty("x").ValueKind));
        Assert.Contains("core 0  ECHO(0x6) = 0x7  ", errors, StringComparison.Ordinal);
    }

    [NeedsTheory(Qemu)]
    [InlineData("CPU_OFF", "CPU_OFF()  does not return: its core is off\n", "", 0)]
    [InlineData("SEVEN; SYSTEM_OFF", "SEVEN()  x0 0x7  x1 0x0  x2 0x0  x3 0x0\nSYSTEM_OFF()  does not return: the machine is off\n", "", 0)]
    [InlineData("SYSTEM_RESET; SEVEN; ECHO 1", "SYSTEM_RESET()  does not return: the machine was reset\n", "Not made any more: SEVEN(); ECHO(1).\n", 1)]
    [InlineData("CPU_SUSPEND 0; SEVEN", "CPU_SUSPEND(0)  does not return: its core is suspended, and nothing wakes it\n", "Not made any more: SEVEN().\n", 1)]
    [InlineData("HANDLER 0; ATTEND_HERE", "HANDLER(0)  x0 0x0  x1 0x0  x2 0x0  x3 0x0\nATTEND_HERE()  does not return: the guest took an exception (ESR 0x86000010, ELR 0x0, FAR 0x0)\n", "", 1)]
    [InlineData("CPU_ON 1 0x40400000 0; CPU_OFF", "CPU_ON(1, 0x40400000, 0)  x0 0x0  x1 0x0  x2 0x0  x3 0x0\nCPU_OFF()  does not return: its core is off\n", "", 0)]
    public async Task A_call_that_does_not_return_ends_the_run(string calls, string output, string errors, int exitCode) =>
        Assert.Equal((exitCode, output, errors), await RunAsync("--service", s_trials, "--calls", calls, "--cores", "2"));

    [NeedsFact(Qemu)]
    public async Task No_service_at_all_is_needed_for_the_run_to_end()
    {
        var nothing = Directory.CreateDirectory(Path.Combine(_folder, "nothing")).FullName;
        Assert.Equal((0, "SYSTEM_OFF()  x0 0xffffffffffffffff  x1 0x0  x2 0x0  x3 0x0\n", ""), await RunAsync("--plugins", nothing, "--calls", "0x84000008"));
    }

    [NeedsFact(Qemu)]
    public async Task A_guest_at_EL2_calls_by_SMC()
    {
        Assert.Equal((0, "ECHO(1)  x0 0x2  x1 0x0  x2 0x1  x3 0x1\n", ""), await RunAsync("--service", s_trials, "--el", "2", "--calls", "ECHO 1"));
        Assert.Equal((0, "ECHO(1)  x0 0x2  x1 0x0  x2 0x2  x3 0x1\n", ""), await RunAsync("--service", s_trials, "--conduit", "hvc", "--calls", "ECHO 1"));
        Assert.Equal((2, "", "--calls: call 2, line 1, column 9: a guest at EL2 calls by SMC: its HVC goes to itself.\n"), await RunAsync("--el", "2", "--calls", "ECHO 1; hvc ECHO 1"));
        Assert.Equal((2, "", "A guest at EL2 calls by SMC: its HVC goes to itself.\n"), await RunAsync("--el", "2", "--conduit", "hvc", "--calls", "PSCI_VERSION"));
    }

    [NeedsFact(Qemu)]
    public async Task A_daemon_that_runs_answers_calls_too_and_standard_input_gives_them()
    {
        var daemon = new TestDaemon();
        await daemon.InitializeAsync();
        try
        {
            using var run = Tool.Start("run", "--daemon", daemon.Socket, "--calls", "-", "--name", "caller");
            var errors = run.StandardError.ReadToEndAsync();
            await run.StandardInput.WriteAsync("COUNT 0\nCOUNT 0 # the second\n");
            run.StandardInput.Close();
            Assert.Equal("COUNT(0)  x0 0x1  x1 0x0  x2 0x0  x3 0x0\nCOUNT(0)  x0 0x2  x1 0x0  x2 0x0  x3 0x0\n", await run.StandardOutput.ReadToEndAsync().Soon());
            await run.WaitForExitAsync().Soon();
            Assert.Equal((0, ""), (run.ExitCode, await errors));
            Assert.DoesNotContain((await daemon.Operator.ListMachinesAsync(new())).Machines, machine => machine.Attached);
        }
        finally
        {
            await daemon.DisposeAsync();
        }
    }

    [NeedsFact(Qemu)]
    public async Task A_service_of_a_standard_one_s_name_replaces_it()
    {
        var psci = Path.Combine(TestDaemon.Artifacts, "plugins", "psci");
        Assert.Equal((0, "PSCI_VERSION()  x0 0x10003  x1 0x0  x2 0x0  x3 0x0\n", ""), await RunAsync("--service", psci, "--calls", "PSCI_VERSION"));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task A_kernel_is_served_by_the_service_too()
    {
        var hello = Path.Combine(TestDaemon.Artifacts, "samples", "hello");
        var (exitCode, output, errors) = await RunAsync("--kernel", images["served"], "--memory", "64", "--service", hello, "--service", s_trials);
        string[] lines = output.Split('\n');
        Assert.Equal((0, ""), (exitCode, errors));
        Assert.StartsWith("A private daemon runs for this guest (process ", lines[0], StringComparison.Ordinal);
        Assert.Contains("HELLO_ADD(40, 2): 0x2a", lines);
        Assert.Contains("100 attentions at another core, everything masked: yes", lines);
    }

    [Theory]
    [InlineData("--service TRIALS --service TRIALS --calls X", 2, "--service: two services are named trials: ")]
    [InlineData("--service TRIALS --plugins /nonexistent --calls X", 1, "The plugin folder /nonexistent does not exist.")]
    [InlineData("--service TRIALS --daemon /socket --calls X", 2, "--service: a private daemon of its own serves it; leave --daemon away")]
    [InlineData("--service TRIALS --attach /folder", 2, "--service: a run that is taken over keeps what it was started with.")]
    [InlineData("--calls X --attach /folder", 2, "--calls: a run that is taken over keeps what it was started with.")]
    [InlineData("--calls X --kernel Image", 2, "--calls: they are made by a bare guest of this tool; leave --kernel away.")]
    [InlineData("--calls X --initrd file", 2, "--initrd: this is for --kernel.")]
    [InlineData("--service TRIALS --append text", 2, "--append: this is for --kernel.")]
    [InlineData("--service TRIALS --json", 2, "--json: this is for --calls.")]
    [InlineData("--service /nonexistent --calls X", 2, "--service /nonexistent does not exist.")]
    [InlineData("--calls @/nonexistent", 2, "--calls @/nonexistent: Could not find file")]
    [InlineData("--calls PSCI_VERSIO", 2, "--calls: call 1, line 1, column 1: no table knows PSCI_VERSIO. Did you mean PSCI_VERSION?")]
    [InlineData("--calls 0x184000000", 2, "--calls: call 1, line 1, column 1: 0x184000000 is wider than the 32 bits of a function ID.")]
    [InlineData("--service TRIALS --set TRIALS.nothing=1 --calls X", 1, "TRIALS")]
    public async Task What_cannot_run_is_one_sentence(string arguments, int code, string sentence)
    {
        var (exitCode, output, errors) = await RunAsync(arguments.Replace("TRIALS ", s_trials + " ", StringComparison.Ordinal).Split(' '));
        Assert.Contains(sentence, errors, StringComparison.Ordinal);
        Assert.Equal((code, ""), (exitCode, output));
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    private static bool IsReport(string line) => line.Contains(" failed in ", StringComparison.Ordinal);

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var run = await Tool.RunAsync(["run", .. arguments]);
        return (run.ExitCode, run.Output, run.Errors);
    }

    /// <summary>A service in a folder of its own, with its tests beside it; the path of its source.</summary>
    private string WriteAcme()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "Acme", "Acme")).FullName;
        File.WriteAllText(
            Path.Combine(folder, "Acme.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <EnableDynamicLoading>true</EnableDynamicLoading>
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="Hypercalls.Sdk" HintPath="{Path.Combine(TestDaemon.Artifacts, "bin", "Hypercalls.Sdk", "release", "Hypercalls.Sdk.dll")}" Private="false" />
              </ItemGroup>
            </Project>
            """);
        Directory.CreateDirectory(Path.Combine(_folder, "Acme", "Acme.Tests"));
        File.WriteAllText(Path.Combine(_folder, "Acme", "Acme.Tests", "Acme.Tests.csproj"), """<Project><ItemGroup><PackageReference Include="Microsoft.NET.Test.Sdk" /></ItemGroup></Project>""");
        var source = Path.Combine(folder, "AcmeService.cs");
        File.WriteAllText(
            source,
            """
            using Hypercalls.Sdk;

            public sealed class AcmeService(AcmeSettings settings) : Service<AcmeState>
            {
                public override string Name => "ACME";

                public override string Version => "1.0";

                public override FunctionTable<AcmeState> Functions { get; } = new()
                {
                    { 0x8300_0000,              "ACME_VERSION", AcmeVersion, FunctionTraits.Version },
                    { 0x8300_0001, 0xC300_0001, "ACME_ADD",     Add,         "a", "b" },
                    { 0x8300_0002,              "ACME_COUNT",   (in call, state) => (state with { Count = state.Count + settings.Step }, Answer.Value(state.Count + settings.Step)) },
                };

                private static Answer AcmeVersion(in Hypercall call) => Answer.Value(0x1_0000);

                private static Answer Add(in Hypercall call) => Answer.Value(call[1] + call[2]);
            }

            public sealed record AcmeSettings
            {
                public uint Step { get; init; } = 1;
            }

            public sealed record AcmeState
            {
                public uint Count { get; init; }
            }
            """);
        return source;
    }
}

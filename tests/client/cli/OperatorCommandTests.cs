using System.Text.Json;
using Hypercalls.Tests.Daemon;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>hypercalls raise, state and sdei: what people see and do of a machine's services.</summary>
public sealed class OperatorCommandTests : IAsyncLifetime
{
    private readonly TestDaemon _daemon = new();

    public Task InitializeAsync() => _daemon.InitializeAsync();

    public Task DisposeAsync() => _daemon.DisposeAsync();

    [Fact]
    public async Task Raises_at_the_only_service_of_the_only_machine()
    {
        await using var host = await AttachAsync(_daemon, Greeting("only", cores: 18));
        (string, Tool)[] expected =
        [
            ("raise 1", new(0, "delivered: Core 0.0.0.0 is asked for.\n", "")),
            ("raise 0x0000_0002", new(0, "pending: Kept: nobody asks for it.\n", "")),
            ("raise 1 --core 17 --service trials --machine only", new(0, "delivered: Core 0.0.0.17 is asked for.\n", "")),
            ("raise 1 --core 0.0.0.16", new(0, "delivered: Core 0.0.0.16 is asked for.\n", "")),
            ("raise 18446744073709551615", new(1, "", "refused: No guest has registered event 18446744073709551615.\n")),
            ("raise 1 --json", new(0, "{ \"text\": \"Core 0.0.0.0 is asked for.\", \"result\": \"RAISE_RESULT_DELIVERED\" }\n", "")),
            ("raise 3 --json", new(1, "{ \"text\": \"No guest has registered event 3.\", \"result\": \"RAISE_RESULT_REFUSED\" }\n", "")),
        ];
        foreach (var (command, tool) in expected)
        {
            Assert.Equal((command, tool), (command, await RunAsync(command)));
        }
    }

    [Fact]
    public async Task Shows_tables_or_JSON()
    {
        await using var host = await AttachAsync(_daemon, Greeting("shown"));
        const string Tables =
            """
            {0}Cores
            +---------------------------+
            | core    | pending | count |
            |---------+---------+-------|
            | 0.0.0.0 | 0       | 0     |
            | 0.0.0.1 | 0       | 0     |
            +---------------------------+
            {0}Events
            +-------------------+
            | kept | machine    |
            |------+------------|
            | 0    | {1}[31mshown |
            +-------------------+

            """;
        Assert.Equal(new(0, Titled(""), ""), await RunAsync("state trials"));
        Assert.Equal(new(0, Titled("TRIALS: "), ""), await RunAsync("state --machine shown"));

        var json = JsonDocument.Parse((await RunAsync("state TRIALS --json")).Output).RootElement;
        Assert.Equal(
            ("TRIALS", 0, "count", "0.0.0.1"),
            (json.GetProperty("service").GetString(), json.GetProperty("state").GetProperty("Kept").GetInt32(), json.GetProperty("tables")[0].GetProperty("columns")[2].GetString(), json.GetProperty("tables")[0].GetProperty("rows")[1][0].GetString()));
        Assert.Equal(new(0, "{\n  \"Count\": 0\n}\n", ""), await RunAsync("state HELLO"));
        var psci = JsonDocument.Parse((await RunAsync("state psci --json")).Output).RootElement;
        Assert.Equal(0, psci.GetProperty("tables").GetArrayLength());

        static string Titled(string service) => Tables.Replace("{0}", service, StringComparison.Ordinal).Replace("{1}", "\uFFFD", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("raise", 2, "Required argument 'event' missing")]
    [InlineData("raise one", 2, "one is not an event: give hexadecimal with 0x, or decimal digits.")]
    [InlineData("raise 18446744073709551616", 2, "18446744073709551616 is not an event")]
    [InlineData("raise 1", 2, "Several machines are attached, name one with --machine: left, right.")]
    [InlineData("state", 2, "Several machines are attached, name one with --machine: left, right.")]
    [InlineData("sdei", 2, "Several machines are attached, name one with --machine: left, right.")]
    [InlineData("raise 1 --machine lefd", 2, "machine: no machine is named lefd. Did you mean left?")]
    [InlineData("raise 1 --machine lefd --core 1", 2, "No machine is named lefd. `hypercalls machines` lists them.")]
    [InlineData("raise 1 --machine left --core 2", 2, "left has the cores 0 to 1; 2 is none. An affinity is written 0.0.0.1.")]
    [InlineData("raise 1 --machine left --core two", 2, "two is not a core")]
    [InlineData("raise 1 --machine left --core 0.0.0", 2, "0.0.0 is no affinity: it has four numbers of 0 to 255, such as 0.0.0.1.")]
    [InlineData("raise 1 --machine left --core 0.0.0.256", 2, "0.0.0.256 is no affinity")]
    [InlineData("raise 1 --machine left --core 1.2.3.4", 2, "core: left has no core 1.2.3.4.")]
    [InlineData("raise 1 --machine left --service PSCI", 1, "service: PSCI takes no events.")]
    [InlineData("raise 4 --machine left", 1, "refused: Nothing was changed: TRIALS failed in raise: InvalidOperationException: This event is broken.")]
    [InlineData("state NOBODY --machine left", 2, "service: no service is named NOBODY. `hypercalls services` lists them.")]
    public async Task Bad_input_is_one_sentence_and_its_exit_code(string command, int exitCode, string sentence)
    {
        await using var left = await AttachAsync(_daemon, Greeting("left"));
        await using var right = await AttachAsync(_daemon, Greeting("right"));
        var tool = await RunAsync(command);
        Assert.Contains(sentence, tool.Errors, StringComparison.Ordinal);
        Assert.Equal((exitCode, ""), (tool.ExitCode, tool.Output));
    }

    [Fact]
    public async Task Without_a_machine_there_is_nothing_to_raise_or_to_show()
    {
        var tool = new Tool(1, "", "No machine is attached. `hypercalls machines` lists those whose host was lost.\n");
        Assert.Equal(tool, await RunAsync("raise 1"));
        Assert.Equal(tool, await RunAsync("state"));
    }

    [Fact]
    public async Task Where_no_service_shows_tables_a_sentence_says_what_there_is()
    {
        var plain = new TestDaemon("psci", "hello");
        await plain.InitializeAsync();
        try
        {
            await using var host = await AttachAsync(plain, Greeting("plain"));
            Assert.Equal(
                new(0, "No service shows tables. `hypercalls state SERVICE` shows JSON, of one of HELLO, PSCI.\n", ""),
                await Tool.RunAsync("state", "--daemon", plain.Socket));
            Assert.Equal(
                new(2, "", "service: no service is named SDEI. `hypercalls services` lists them.\n"),
                await Tool.RunAsync("sdei", "--daemon", plain.Socket));
        }
        finally
        {
            await plain.DisposeAsync();
        }
    }

    private Task<Tool> RunAsync(string command) => Tool.RunAsync([.. command.Split(' '), "--daemon", _daemon.Socket]);
}

using System.Text.RegularExpressions;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Events that an operator raises.</summary>
public sealed partial class SdeiTests
{
    private const string Platform = """
        { "SDEI": { "events": [
            { "number": "0x4000_0001", "type": "private" }, { "number": "0x4000_0002", "type": "private", "priority": "critical" },
            { "number": "0x4000_0003" },                    { "number": "0x4000_0004", "priority": "critical" } ] } }
        """;

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("1", "0x3c5")]
    [InlineData("2", "0x3c9")]
    public async Task Raised_events_reach_the_handlers_that_may_run_and_wait_for_the_others(string el, string handlers)
    {
        var settings = Path.Combine(_folder, "services.json");
        await File.WriteAllTextAsync(settings, Platform);
        using var guest = new GuestTalk(Tool.Start(
            "run", "--kernel", images["sdei_raise"], "--cores", "2", "--memory", "64", "--name", "raised", "--el", el, "--settings", settings, "--plugins", TestDaemon.PluginFolder(_folder, "psci", "sdei")));
        var daemon = DaemonsAddress().Match(await guest.HearsAsync("No daemon listens: ")).Value;
        await guest.HearsAsync("masked");
        await Raise("refused: event 0x4000_0001 is private: name the core that it is for", "0x40000001");
        await Raise("refused: there is no event 77; there are 0, 0x4000_0001, 0x4000_0002, 0x4000_0003, 0x4000_0004", "77");
        await Raise("refused: event 0 has no handler on core 0.0.0.0: the guest has not registered one", "0", "--core", "0");
        await Raise("refused: event 0x4000_0003 is shared: its routing chooses the core; leave the core away", "0x4000_0003", "--core", "1");
        await Raise("pending: event 0x4000_0001 waits: core 0.0.0.0 is masked", "0x40000001", "--core", "0.0.0.0");
        await Raise("delivered: event 0x4000_0003 goes to core 0.0.0.1", "0x40000003"); // RM_ANY: core 0 is masked
        await Hears("shared at core: 0x1", " its x0: 0x40000003");
        await Raise("delivered: event 0x4000_0003 goes to core 0.0.0.1", "0x40000003");
        await Hears("shared at core: 0x1");
        await Raise("delivered: event 0x4000_0004 goes to core 0.0.0.1", "0x40000004"); // RM_PE
        await Hears("critical at core: 0x1", "normal at core: 0x0", " its x0: 0x40000001"); // unmasked then
        await Raise("pending: event 0x4000_0001 waits: its handler runs", "0x40000001", "--core", "0");
        await Raise("delivered: event 0x4000_0001 goes to core 0.0.0.1", "0x40000001", "--core", "1");
        await Hears("normal at core: 0x1", " its x0: 0x40000001");
        await Raise("pending: event 0x4000_0003 waits: no core that is on and unmasked admits it", "0x40000003");
        await Raise("pending: event 0x4000_0003 waits, as one with the trigger that waited before: no core that is on and unmasked admits it", "0x40000003");
        await Shows(daemon);
        await Raise("delivered: event 0x4000_0002 goes to core 0.0.0.0", "0x40000002", "--core", "0");
        await Hears("critical on top of normal at core: 0x0", $" its x3 without flags: {handlers}", " goes on");
        await Hears("normal at core: 0x0"); // triggered before the shared one
        await Raise("delivered: event 0x4000_0002 goes to core 0.0.0.0", "0x40000002", "--core", "0");
        await Hears("critical on top of normal at core: 0x0", " goes on", "shared at core: 0x0", "unmasked", "a handler of that state: 0x3");
        await Hears("mode: 0xfffffffffffffffd", "disable: 0x0", "mode: 0x0", "disabled");
        await Raise("delivered: event 0x4000_0002 goes to core 0.0.0.1", "0x40000002", "--core", "1");
        await Hears("critical on top of normal at core: 0x1", $" its x3 without flags: {handlers}", " goes on");
        await Raise("pending: event 0x4000_0003 waits: its handler is not enabled", "0x40000003");
        await Raise("delivered: event 0x4000_0004 goes to core 0.0.0.1", "0x40000004");
        await Hears("critical at core: 0x1", "enable: 0x0", "shared at core: 0x1"); // routed there meanwhile
        await guest.EndAsync();
        Assert.Equal((0, ""), (guest.ExitCode, guest.Errors));

        async Task Hears(params string[] lines)
        {
            foreach (var line in lines)
            {
                Assert.Equal(line, await guest.HearsAsync(line));
            }
        }

        async Task Raise(string says, params string[] arguments)
        {
            var raise = await Tool.RunAsync(["raise", "--daemon", daemon, "--machine", "raised", .. arguments]);
            var isRefused = says.StartsWith("refused", StringComparison.Ordinal);
            Assert.Equal((isRefused ? 1 : 0, says), (raise.ExitCode, (isRefused ? raise.Errors : raise.Output).TrimEnd()));
        }
    }

    private static async Task Shows(string daemon)
    {
        var shown = await Tool.RunAsync("sdei", "--daemon", daemon);
        Assert.Equal((0, ""), (shown.ExitCode, shown.Errors));
        Assert.Matches(@"\| 0\.0\.0\.0 +\| on +\| unmasked +\| 0x4000_0001 +\| 0x4000_0001 +\|", shown.Output);
        Assert.Matches(@"\| 0\.0\.0\.1 +\| on +\| unmasked +\| 0x4000_0001 +\| – +\|", shown.Output);
        Assert.Matches(@"\| 0x4000_0001 +\| private +\| normal +\| – +\| 0\.0\.0\.1 +\| 0x[0-9a-f]+ +\| registered, enabled, running +\| – +\|", shown.Output);
        Assert.Matches(@"\| 0x4000_0003 +\| shared +\| normal +\| – +\| any +\| 0x[0-9a-f]+ +\| registered, enabled +\| yes +\|", shown.Output);
        Assert.Matches(@"\| 0x4000_0004 +\| shared +\| critical +\| – +\| 0\.0\.0\.1 +\| 0x[0-9a-f]+ +\| registered, enabled +\| – +\|", shown.Output);
    }

    [GeneratedRegex("unix:[^)]+")]
    private static partial Regex DaemonsAddress();
}

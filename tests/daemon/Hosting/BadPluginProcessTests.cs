using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Hypercalls.Tests.Client.Cli;
using Hypercalls.Tests.Daemon.Loading;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>The daemon's executable and plugins that are wrong: no start, or a daemon that serves the rest and shows what failed.</summary>
public sealed partial class BadPluginProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly string _plugins;

    public BadPluginProcessTests() => _plugins = Directory.CreateDirectory(Path.Combine(_folder, "plugins")).FullName;

    private string Socket => Path.Combine(_folder, "daemon.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_plugin_for_another_sdk_is_no_start_and_one_sentence()
    {
        var hello = PluginCopy.Of(_plugins, "hello").ForSdk(new(9, 9, 0));
        var daemon = await Tool.RunAsync("daemon", "--socket", Socket, "--plugins", _plugins);
        Assert.Equal(
            (2, $"{hello.Folder}: Hypercalls.Hello.dll needs Hypercalls.Sdk 9.9, and this daemon has 0.1: build it against Hypercalls.Sdk 0.1, or run it with the daemon of its version. Mend or remove it, or start with --keep-going.\n"),
            (daemon.ExitCode, daemon.Errors));
    }

    [Fact]
    public async Task A_daemon_that_keeps_going_serves_the_rest_and_shows_what_failed()
    {
        PluginCopy.Of(_plugins, "hello", "acme").ForSdk(new(9, 9, 0));
        PluginCopy.Of(_plugins, "psci", "cut").Cut(50);
        PluginCopy.Of(_plugins, "twin");
        PluginCopy.Of(_plugins, "hello", "zz");
        PluginCopy.Of(_plugins, "smccc");
        await File.WriteAllTextAsync(Path.Combine(_folder, "services.json"), """{ "smccc": { "version": "7" }, "owners": { "oem": { "uid": "none" } } }""");

        using var daemon = Tool.Start("daemon", "--socket", Socket, "--plugins", _plugins, "--keep-going", "--settings", Path.Combine(_folder, "services.json"));
        var said = new List<string>();
        while (await daemon.StandardError.ReadLineAsync().Soon() is { } line)
        {
            said.Add(line);
            if (line.Contains("Listening on", StringComparison.Ordinal))
            {
                break;
            }
        }

        var errors = daemon.StandardError.ReadToEndAsync();
        var listed = await Tool.RunAsync("services", "--json", "--daemon", Socket);
        var table = await Tool.RunAsync("services", "--daemon", Socket);
        using (var kill = System.Diagnostics.Process.Start("kill", ["-TERM", daemon.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await daemon.WaitForExitAsync().Soon();
        }

        await errors.Soon();
        Assert.Equal((0, 0), (listed.ExitCode, daemon.ExitCode));
        (string Folder, string Failure)[] expected =
        [
            ("acme", "Hypercalls.Hello.dll needs Hypercalls.Sdk 9.9, and this daemon has 0.1: "),
            ("cut", "Hypercalls.Psci.dll is cut short"),
            ("smccc", $"{_folder}/services.json: SMCCC.version = \"7\": "),
            ("twin", ""),
            ("zz", "0xC200_0001 is claimed by TWIN (TWIN_ADD) and by HELLO (HELLO_ADD). Remove one of the two from the plugin folder."),
        ];
        Assert.Equal(
            expected,
            JsonNode.Parse(listed.Output)!["services"]!.AsArray()
                .Select(service => (Path.GetFileName((string)service!["path"]!), (string)service["failure"]!))
                .Zip(expected, (service, shown) => (service.Item1, service.Item2[..Math.Min(Math.Max(shown.Failure.Length, 1), service.Item2.Length)])));
        Assert.Contains("cut  failed: Hypercalls.Psci.dll is cut short", Words().Replace(table.Output, "  "), StringComparison.Ordinal);
        Assert.Contains(said, line => line.Contains($"Settings were left out: {_folder}/services.json: owners.oem.uid = \"none\": ", StringComparison.Ordinal));
        Assert.Contains(said, line => line.EndsWith("with 1 services: TWIN", StringComparison.Ordinal));
    }

    [GeneratedRegex(" *[|] *")]
    private static partial Regex Words();
}

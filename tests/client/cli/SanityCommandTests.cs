using System.Text.Json.Nodes;
using Hypercalls.Tests.Daemon;
using Hypercalls.Tests.Daemon.Loading;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>hypercalls sanity: which plugin, and what it ends with.</summary>
public sealed class SanityCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_sane_service_by_its_name_and_by_its_folder()
    {
        var named = await Tool.RunAsync("sanity", "trng", "--seed", "7", "--calls", "500");
        Assert.Equal((0, ""), (named.ExitCode, named.Errors));
        Assert.StartsWith("TRNG 1.0: seed 7, 500 random calls\n\nrule ", named.Output, StringComparison.Ordinal);
        var lines = named.Output.TrimEnd().Split('\n')[4..];
        Assert.Equal(12, lines.Length);
        Assert.All(lines, line => Assert.Contains("  ok  ", line, StringComparison.Ordinal));

        var folder = await Tool.RunAsync("sanity", PluginCopy.Of(_folder, "trng").Folder, "--seed", "7", "--calls", "500");
        Assert.Equal(named, folder);
    }

    [Fact]
    public async Task A_service_with_faults_as_JSON()
    {
        var told = await Tool.RunAsync("sanity", Path.Combine(TestDaemon.Artifacts, "test-plugins", "trials"), "--calls", "100", "--seed", "1", "--json");
        Assert.Equal((1, ""), (told.ExitCode, told.Errors));
        var report = JsonNode.Parse(told.Output)!;
        Assert.Equal(("TRIALS", 1, 100), ((string)report["service"]!, (int)report["seed"]!, (int)report["calls"]!));
        Assert.Contains(report["faults"]!.AsArray(), fault => (string)fault!["rule"]! == "deadline" && ((string)fault["sentence"]!).Contains(" did not come back within 5 s", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nobody", "There is no folder nobody, and no plugin of that name in ")]
    [InlineData("hello --calls 5", "--calls takes 100 to 10000000.")]
    [InlineData("psci --set PSCI.version=7.0", "--set PSCI.version=7.0: the versions of PSCI are 0.2, 1.0, 1.1, 1.2, 1.3.")]
    [InlineData("psci --set SDEI.version=7", "--set SDEI.version=7: no service is named SDEI; there is PSCI.")]
    public async Task What_cannot_be_judged_is_bad_input(string arguments, string sentence)
    {
        var told = await Tool.RunAsync(["sanity", .. arguments.Split(' ')]);
        Assert.Equal((2, ""), (told.ExitCode, told.Output));
        Assert.StartsWith(sentence, told.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plugin_that_does_not_load_is_bad_input()
    {
        var hello = PluginCopy.Of(_folder, "hello").ForSdk(new(9, 9, 0));
        var told = await Tool.RunAsync("sanity", hello.Folder);
        Assert.Equal((2, ""), (told.ExitCode, told.Output));
        Assert.StartsWith($"{hello.Folder}: Hypercalls.Hello.dll needs Hypercalls.Sdk 9.9", told.Errors, StringComparison.Ordinal);
    }
}

using System.Diagnostics;
using Hypercalls.Grpc;
using Hypercalls.Tests.Client.Cli;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>The daemon's executable and the settings of its services: where they come from, and what it does not start with.</summary>
public sealed class SettingsProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly string _plugins;

    public SettingsProcessTests() => _plugins = TestDaemon.PluginFolder(_folder, "psci", "smccc", "hello", "trials");

    private string Socket => Path.Combine(_folder, "daemon.sock");

    private string File => Path.Combine(_folder, "services.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    // file, --set, sentence
    [InlineData("""{ "PSIC": { "version": "1.1" } }""", "", "{file}: no service is named PSIC; did you mean PSCI?")]
    [InlineData("""{ "Nobody": {} }""", "", "{file}: no service is named Nobody; there are HELLO, PSCI, SMCCC, TRIALS.")]
    [InlineData(null, "PSIC.version=1.1", "--set PSIC.version=1.1: no service is named PSIC; did you mean PSCI?")]
    [InlineData("""{ "hello": {} }""", "", "{file}: HELLO: this service takes no settings; leave them away.")]
    [InlineData("""{ "smccc": { "verson": "1.1" } }""", "", "{file}: SMCCC.verson = \"1.1\": there is no such setting; did you mean version?")]
    [InlineData("""{ "SMCCC": { "version": 1.1 } }""", "", "{file}: SMCCC.version = 1.1: give a version in quotes, such as \"1.1\".")]
    [InlineData("""{ "SMCCC": { "version": "1.9" } }""", "", "{file}: SMCCC.version = \"1.9\": 1.9 is no version that is served; give one from 1.0 to 1.3.")]
    [InlineData("""{ "SMCCC": { "version": "1.1" } }""", "SMCCC.version=1.9", "--set SMCCC.version=1.9: 1.9 is no version that is served; give one from 1.0 to 1.3.")]
    [InlineData("""{ "SMCCC": { "socId": { "bank": 4 } } }""", "SMCCC.socId.code=300", "--set SMCCC.socId.code=300: give a whole number from 0 to 255.")]
    [InlineData("""{ "SMCCC": { "socId": { "bank": 4 } } }""", "SMCCC.socId.code=3", "{file} and --set SMCCC.socId.code=3: SMCCC.socId = {\"bank\":4,\"code\":3}: number is missing.")]
    [InlineData("""{ "SMCCC": 7 }""", "", "{file}: SMCCC = 7: give an object of its settings.")]
    [InlineData("""{ "SMCCC": { "version": "1.1" } }""", "SMCCC.version.major=2", "--set SMCCC.version.major=2: version is \"1.1\", which has no members; set it as a whole.")]
    [InlineData("""{ "PSCI": { "version": "0.1" } }""", "", "{file}: PSCI.version = \"0.1\": the versions of PSCI are 0.2, 1.0, 1.1, 1.2, 1.3.")]
    [InlineData("""{ "PSCI": { "deniedCores": ["0.0.0"] } }""", "", "{file}: PSCI.deniedCores[0] = \"0.0.0\": give an affinity such as \"0.0.0.3\".")]
    [InlineData(null, "SMCCC=1", "--set SMCCC=1 has no service, member and value. Write it as PSCI.version=1.0.")]
    [InlineData("[]", "", "{file} holds no object. Give it one member per service, such as { \"PSCI\": { \"version\": \"1.1\" } }.")]
    [InlineData("""{ "PSCI": {}, "psci": {} }""", "", "{file}: two members differ in nothing but capitals: psci. Mend it there.")]
    [InlineData("""{ "owners": { "vendor": {} } }""", "", "{file}: owners.vendor = {}: there is no such setting; there are cpu, siliconPartner, oem, standardSecure, standardHypervisor, vendorHypervisor, vendorMonitor, trustedApplication, trustedOs.")]
    [InlineData(null, "owners.cpu.revision=1.2.3", "--set owners.cpu.revision=1.2.3: a revision has a major and a minor number alone.")]
    [InlineData(null, "owners.cpu.uid=ffffffff-4384-11eb-8070-5244554e5a4c", "--set owners.cpu.uid=ffffffff-4384-11eb-8070-5244554e5a4c: The call UID ffffffff-4384-11eb-8070-5244554e5a4c begins with ffffffff, which a guest reads as an unknown function; choose another.")]
    [InlineData("""{ "owners": { "oem": { "revision": "1.1" } } }""", "", "OEM_REVISION is 1.0 for TRIALS and 1.1 for the configuration. Remove it from the settings: what a service says of its owner stands.")]
    public async Task A_wrong_setting_is_no_start_and_one_sentence(string? file, string set, string sentence)
    {
        string[] arguments = [.. set.Length > 0 ? ["--set", set] : Array.Empty<string>()];
        if (file is not null)
        {
            await System.IO.File.WriteAllTextAsync(File, file);
            arguments = ["--settings", File, .. arguments];
        }

        var daemon = await Tool.RunAsync(["daemon", "--socket", Socket, "--plugins", _plugins, .. arguments]);
        Assert.Equal((2, sentence.Replace("{file}", File, StringComparison.Ordinal) + "\n"), (daemon.ExitCode, daemon.Errors));
    }

    [Fact]
    public async Task A_file_that_is_no_JSON_is_no_start_and_one_sentence_with_the_place()
    {
        await System.IO.File.WriteAllTextAsync(File, "{ \"PSCI\":\n  { \"version\" 1 } }");
        var daemon = await Tool.RunAsync("daemon", "--socket", Socket, "--plugins", _plugins, "--settings", File);
        Assert.Equal(2, daemon.ExitCode);
        Assert.StartsWith($"{File}, line 2, position 15: '1' is ", daemon.Errors, StringComparison.Ordinal);
        Assert.EndsWith(". Mend it there.\n", daemon.Errors, StringComparison.Ordinal);
        Assert.Single(daemon.Errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_no_start_and_one_sentence()
    {
        var daemon = await Tool.RunAsync("daemon", "--socket", Socket, "--plugins", _plugins, "--settings", File);
        Assert.Equal((2, $"{File} does not exist. Make it, or leave --settings away.\n"), (daemon.ExitCode, daemon.Errors));
        var folder = await Tool.RunAsync("daemon", "--socket", Socket, "--plugins", _plugins, "--settings", _folder);
        Assert.Equal(2, folder.ExitCode);
        Assert.StartsWith($"{_folder} cannot be read: ", folder.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_are_those_of_the_file_beside_the_daemon_of_the_environment_and_of_the_command_line_over_them()
    {
        // A daemon of its own: what lies beside it must not reach the others.
        var program = Directory.CreateDirectory(Path.Combine(_folder, "program")).FullName;
        foreach (var part in Directory.EnumerateFiles(Path.Combine(TestDaemon.Artifacts, "bin", "Hypercalls.Daemon", "release")))
        {
            System.IO.File.Copy(part, Path.Combine(program, Path.GetFileName(part)));
        }

        await System.IO.File.WriteAllTextAsync(Path.Combine(program, "services.json"), """
            // Comments and commas at the end are welcome.
            { "smccc": { "version": "1.1", }, }
            """);
        await System.IO.File.WriteAllTextAsync(File, """{ "SMCCC": { "Version": "1.2" } }""");
        Assert.Equal(0x1_0001ul, await SmcccVersionAsync(program, settings: null));
        Assert.Equal(0x1_0002ul, await SmcccVersionAsync(program, settings: File));
        Assert.Equal(0x1_0003ul, await SmcccVersionAsync(program, settings: File, "--set", "smccc.version=1.3"));
        Assert.Equal(0x1_0003ul, await SmcccVersionAsync(program, settings: null, "--set", "SMCCC.version=1.2", "--set", "SMCCC.version=\"1.3\""));
    }

    [Fact]
    public async Task A_daemon_that_keeps_going_leaves_out_the_settings_of_what_did_not_load()
    {
        Directory.CreateDirectory(Path.Combine(_plugins, "broken"));
        using var daemon = Start(null, "--set", "BROKEN.speed=7", "--keep-going", "--set", "SMCCC.version=1.1");
        List<string> said = [];
        while (await daemon.StandardError.ReadLineAsync().Soon() is { } line)
        {
            said.Add(line);
            if (line.Contains("Listening on", StringComparison.Ordinal))
            {
                daemon.StandardInput.Close();
            }
        }

        Assert.Contains(said, line => line.EndsWith("Settings were left out: --set BROKEN.speed=7: no service is named BROKEN", StringComparison.Ordinal));
        Assert.Contains(said, line => line.EndsWith("SMCCC is set to {\"version\":\"1.1\"} by --set SMCCC.version=1.1", StringComparison.Ordinal));
        await daemon.WaitForExitAsync().Soon();
        Assert.Equal(0, daemon.ExitCode);
    }

    private async Task<ulong> SmcccVersionAsync(string program, string? settings, params string[] arguments)
    {
        using var daemon = Start((program, settings), arguments);
        _ = daemon.StandardError.ReadToEndAsync();
        using var channel = HttpChannel.ForAddress(GrpcAddress.Unix(Socket));
        while (true)
        {
            try
            {
                var reply = await new Hypercalls.Protos.Hypercalls.HypercallsClient(channel.CreateCallInvoker()).CallAsync(new() { Name = "SMCCC_VERSION" });
                daemon.StandardInput.Close();
                await daemon.WaitForExitAsync().Soon();
                return reply.Results[0];
            }
            catch (global::Grpc.Core.RpcException e) when (e.StatusCode == global::Grpc.Core.StatusCode.Unavailable && !daemon.HasExited)
            {
                await Task.Delay(20);
            }
        }
    }

    private Process Start((string Folder, string? Settings)? program, params string[] arguments)
    {
        var folder = program?.Folder ?? Path.Combine(TestDaemon.Artifacts, "bin", "Hypercalls.Daemon", "release");
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(folder, "hypercalls-daemon.dll"), "--socket", Socket, "--plugins", _plugins, "--stop-with-input", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        if (program?.Settings is { } settings)
        {
            start.Environment["HYPERCALLS_Settings"] = settings;
        }

        return Process.Start(start)!;
    }
}

using System.Text.Json;
using System.Xml.Linq;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>A stranger's service: from an empty folder, outside of this tree, to a daemon that serves it.</summary>
public sealed class NewTests : IDisposable
{
    private const string Template = "plugins/template/hypercall-service";

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    private string Socket => Path.Combine(_folder, "daemon.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsFact("qemu-system-aarch64")]
    public async Task A_new_service_is_tested_called_by_a_guest_judged_published_and_served()
    {
        var written = await NewAsync("Bolt", "work");
        var service = Path.Combine(_folder, "work");
        Assert.Equal(
            (0, $"""
                Wrote {service}. Next, in that folder:
                  dotnet test
                  hypercalls run --service . --calls "BOLT_ADD 1 2; BOLT_COUNT"
                  dotnet publish Bolt -o PLUGINFOLDER/bolt, then hypercalls daemon --plugins PLUGINFOLDER --settings services.json

                """),
            (written.ExitCode, written.Output));

        var (testCode, tested) = await Dotnet.RunAsync(service, null, "test", "--nologo");
        Assert.True(testCode == 0, tested);
        Assert.Contains("Passed!  - Failed:     0, Passed:     3, Skipped:     0, Total:     3", tested, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", tested, StringComparison.OrdinalIgnoreCase);

        var called = await Tool.RunAsync("run", "--service", service, "--calls", "BOLT_ADD 1 2; BOLT_COUNT");
        Assert.Equal((0, "BOLT_ADD(1, 2)  x0 0x3  x1 0x0  x2 0x0  x3 0x0\nBOLT_COUNT()  x0 0x1  x1 0x0  x2 0x0  x3 0x0\n", ""), (called.ExitCode, called.Output, called.Errors));
        var judged = await Tool.RunAsync("sanity", service);
        Assert.StartsWith("BOLT 1.0: seed ", judged.Output, StringComparison.Ordinal);
        Assert.Equal((0, ""), (judged.ExitCode, judged.Errors));

        var plugins = Path.Combine(_folder, "plugins");
        var (publishCode, published) = await Dotnet.RunAsync(service, null, "publish", "Bolt", "-o", Path.Combine(plugins, "bolt"), "--nologo");
        Assert.True(publishCode == 0, published);
        Assert.DoesNotContain("warning", published, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["Bolt.deps.json", "Bolt.dll", "Bolt.pdb", "Bolt.runtimeconfig.json"], FilesOf(Path.Combine(plugins, "bolt")));

        await File.WriteAllTextAsync(Path.Combine(service, "services.json"), (await File.ReadAllTextAsync(Path.Combine(service, "services.json"))).Replace("1", "10", StringComparison.Ordinal));
        using var daemon = Tool.Start("daemon", "--socket", Socket, "--plugins", plugins, "--settings", Path.Combine(service, "services.json"));
        try
        {
            await ListeningAsync(daemon);
            Assert.Equal(
                """[("BOLT","1.0"),("BOLT_VERSION",0xC2000100,""),("BOLT_ADD",0xC2000101,"a b"),("BOLT_COUNT",0xC2000102,"")]""",
                Listed((await Tool.RunAsync("services", "--json", "--daemon", Socket)).Output));
            Assert.Equal("BOLT_ADD (0xC200_0101) = 0x2a   by BOLT\nx0 0x2a  x1 0x0  x2 0x0  x3 0x0\n", (await Tool.RunAsync("call", "BOLT_ADD", "40", "2", "--daemon", Socket)).Output);
            Assert.Equal("BOLT_COUNT (0xC200_0102) = 0xa   by BOLT\nx0 0xa  x1 0x0  x2 0x0  x3 0x0\n", (await Tool.RunAsync("call", "BOLT_COUNT", "--daemon", Socket)).Output);
        }
        finally
        {
            daemon.Kill(entireProcessTree: true);
            await daemon.WaitForExitAsync().Soon();
        }
    }

    [Fact]
    public async Task The_package_of_the_template_gives_the_same_files()
    {
        Assert.Equal(0, (await NewAsync("My_Vendor2", "ours")).ExitCode);
        var packages = GuestImages.Source("artifacts/packages");
        var template = Path.Combine(packages, $"Hypercalls.Templates.{(await File.ReadAllTextAsync(Path.Combine(packages, "version"))).Trim()}.nupkg");
        var (installCode, installed) = await Dotnet.RunAsync(_folder, _folder, "new", "install", template);
        Assert.True(installCode == 0, installed);
        var (code, made) = await Dotnet.RunAsync(_folder, _folder, "new", "hypercall-service", "-n", "My_Vendor2", "-o", "theirs", "--no-update-check");
        Assert.True(code == 0, made);

        var (ours, theirs) = (Path.Combine(_folder, "ours"), Path.Combine(_folder, "theirs"));
        string[] names = FilesOf(ours);
        Assert.Equal(
            [
                ".gitignore", "Directory.Build.props", "My_Vendor2.Tests/My_Vendor2.Tests.csproj", "My_Vendor2.Tests/My_Vendor2ServiceTests.cs", "My_Vendor2.slnx",
                "My_Vendor2/My_Vendor2.csproj", "My_Vendor2/My_Vendor2Service.cs", "README.md", "nuget.config", "services.json",
            ],
            names);
        Assert.Equal(names, FilesOf(theirs));
        foreach (var name in names)
        {
            var text = await File.ReadAllTextAsync(Path.Combine(ours, name));
            Assert.Equal(text, await File.ReadAllTextAsync(Path.Combine(theirs, name)));
            Assert.DoesNotMatch("(?i)acme|HYPERCALLS_(FEED|VERSION)", text);
        }
    }

    [Theory]
    [InlineData("1st", "1st is no C# identifier: give letters, digits and '_', the first one no digit.")]
    [InlineData("my-service", "my-service is no C# identifier: give letters, digits and '_', the first one no digit.")]
    [InlineData("../Acme", "../Acme is no C# identifier: give letters, digits and '_', the first one no digit.")]
    [InlineData("Acme\n", "Acme\n is no C# identifier: give letters, digits and '_', the first one no digit.")]
    [InlineData("", " is no C# identifier: give letters, digits and '_', the first one no digit.")]
    [InlineData("class", "class is no C# identifier but a keyword; give another name.")]
    [InlineData("Answer", "Answer is a type that every service uses; give another name.")]
    [InlineData("Owners", "Owners is another member of services.json; give another name.")]
    public async Task A_name_that_cannot_be_is_refused(string name, string sentence)
    {
        var refused = await NewAsync(name, "work");
        Assert.Equal((2, "", sentence + "\n"), (refused.ExitCode, refused.Output, refused.Errors));
        Assert.False(Directory.Exists(Path.Combine(_folder, "work")));
    }

    [Fact]
    public async Task A_folder_that_holds_something_is_left_alone()
    {
        var work = Directory.CreateDirectory(Path.Combine(_folder, "work")).FullName;
        await File.WriteAllTextAsync(Path.Combine(work, "mine"), "mine");
        var full = await NewAsync("Bolt", "work");
        Assert.Equal((2, $"{work} is not empty: give a new or empty folder with --output.\n"), (full.ExitCode, full.Errors));
        Assert.Equal(["mine"], FilesOf(work));
        var file = await NewAsync("Bolt", "work/mine");
        Assert.Equal((2, $"{work}/mine is a file: give a new or empty folder with --output.\n"), (file.ExitCode, file.Errors));
    }

    [Fact]
    public void The_template_takes_the_versions_that_this_tree_takes()
    {
        var central = XDocument.Load(GuestImages.Source("Directory.Packages.props")).Descendants("PackageVersion")
            .ToDictionary(version => version.Attribute("Include")!.Value, version => version.Attribute("Version")!.Value);
        var references = XDocument.Load(GuestImages.Source($"{Template}/Acme.Tests/Acme.Tests.csproj")).Descendants("PackageReference")
            .ToDictionary(reference => reference.Attribute("Include")!.Value, reference => reference.Attribute("Version")!.Value);
        Assert.Equal(["Hypercalls.Testkit", "Microsoft.NET.Test.Sdk", "xunit", "xunit.runner.visualstudio"], references.Keys.Order());
        Assert.Equal("$(HypercallsVersion)", references["Hypercalls.Testkit"]);
        Assert.All(references.Where(reference => reference.Key != "Hypercalls.Testkit"), reference => Assert.Equal(central[reference.Key], reference.Value));
    }

    private Task<Tool> NewAsync(string name, string output) => Tool.RunAsync("new", name, "--output", Path.Combine(_folder, output));

    private static string[] FilesOf(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path)).Order(StringComparer.Ordinal)];

    private static async Task ListeningAsync(System.Diagnostics.Process daemon)
    {
        List<string> said = [];
        while (await daemon.StandardError.ReadLineAsync().Soon() is { } line)
        {
            said.Add(line);
            if (line.Contains("Listening on", StringComparison.Ordinal))
            {
                // The rest is read, so that the daemon never waits for a reader.
                _ = daemon.StandardError.ReadToEndAsync();
                return;
            }
        }

        Assert.Fail(string.Join('\n', said));
    }

    /// <summary>The services that have functions of their own, as text to compare.</summary>
    private static string Listed(string json)
    {
        var services = JsonDocument.Parse(json).RootElement.GetProperty("services").EnumerateArray().Where(service => service.GetProperty("name").GetString() != "GENERAL_QUERIES");
        return $"[{string.Join(',', services.SelectMany(service => service.GetProperty("functions").EnumerateArray()
            .Select(function => $"(\"{function.GetProperty("name")}\",0x{function.GetProperty("ids")[0].GetUInt32():X},\"{string.Join(' ', function.GetProperty("parameters").EnumerateArray())}\")")
            .Prepend($"(\"{service.GetProperty("name")}\",\"{service.GetProperty("version")}\")")))}]";
    }
}

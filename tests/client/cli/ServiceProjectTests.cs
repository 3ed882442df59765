using Hypercalls.Cli;
using Hypercalls.Cli.Building;

namespace Hypercalls.Tests.Client.Cli;

public sealed class ServiceProjectTests : IDisposable
{
    private const string Plugin = "<HypercallPlugin>a</HypercallPlugin>";
    private const string Dynamic = "<EnableDynamicLoading> True </EnableDynamicLoading>";
    private const string Test = """<PackageReference Include="Microsoft.NET.Test.Sdk" />""";
    private const string Kit = """<ProjectReference Include="..\..\Hypercalls.Testkit.csproj" />""";
    private const string Sdk = """<PackageReference Include="Hypercalls.Sdk" />""";
    private const string Empty = "";

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("A.csproj", Empty, null, null, "A.csproj")]
    [InlineData("A/A.csproj", Empty, null, null, "A/A.csproj")]
    [InlineData("A/A.csproj", Plugin, "A.Tests/A.Tests.csproj", Test, "A/A.csproj")]
    [InlineData("A/A.csproj", Dynamic, "A.Tests/A.Tests.csproj", Kit, "A/A.csproj")]
    [InlineData("A/A.csproj", Sdk, "Host/Host.csproj", Empty, "A/A.csproj")]
    [InlineData("A/A.csproj", Empty, "B/B.csproj", Test, "A/A.csproj")]
    [InlineData("A/A.csproj", Sdk, "B/B.csproj", Sdk + "<IsTestProject>true</IsTestProject>", "A/A.csproj")]
    [InlineData("A.csproj", Empty, "B/B.csproj", Plugin, "A.csproj")]
    public void Is_the_one_that_is_a_plugin(string first, string contents, string? second, string? others, string found)
    {
        Write(first, contents);
        if (second is not null)
        {
            Write(second, others!);
        }

        Assert.Equal(new ServiceProject(Path.Combine(_folder, found), IsBuilt: false), ServiceProject.Find(_folder + "/"));
    }

    [Theory]
    [InlineData(Plugin, Dynamic)]
    [InlineData(Empty, Empty)]
    [InlineData(Test, Test)]
    public void Names_those_between_which_it_cannot_choose(string first, string second)
    {
        Write("A/A.csproj", first);
        Write("B/B.csproj", second);
        var fault = Assert.Throws<CliException>(() => ServiceProject.Find(_folder));
        Assert.Equal(($"--service {_folder} holds more than one project that may be the service: name one of A/A.csproj, B/B.csproj.", ExitCode.BadInput), (fault.Message, fault.ExitCode));
        Assert.Equal(Path.Combine(_folder, "B", "B.csproj"), ServiceProject.Find(Path.Combine(_folder, "B", "B.csproj")).Path);
    }

    [Fact]
    public void A_folder_with_a_manifest_and_no_project_is_built()
    {
        File.WriteAllText(Path.Combine(_folder, "A.deps.json"), "{}");
        Assert.Equal(new ServiceProject(_folder, IsBuilt: true), ServiceProject.Find(_folder));
    }

    [Theory]
    [InlineData("", " holds neither a project nor a plugin")]
    [InlineData("/nothing", "/nothing does not exist.")]
    [InlineData("/file", "/file is a file: name the service's folder.")]
    public void There_may_be_none(string path, string sentence)
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        Assert.Contains(sentence, Assert.Throws<CliException>(() => ServiceProject.Find(_folder + path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_settings_stand_beside_it_or_above_it()
    {
        Write("A/A.csproj", Plugin);
        var project = ServiceProject.Find(_folder);
        Assert.Null(project.Settings);
        File.WriteAllText(Path.Combine(_folder, "services.json"), "{}");
        Assert.Equal(Path.Combine(_folder, "services.json"), project.Settings);
        File.WriteAllText(Path.Combine(_folder, "A", "services.json"), "{}");
        Assert.Equal(Path.Combine(_folder, "A", "services.json"), project.Settings);
    }

    private void Write(string path, string contents)
    {
        var file = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, $"<Project>{contents}</Project>");
    }
}

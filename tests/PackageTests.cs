using System.Diagnostics;
using System.IO.Compression;
using System.Xml.Linq;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests;

/// <summary>What pack.sh makes for authors of services and of vCPU hosts.</summary>
public sealed class PackageTests
{
    [Theory]
    // package, license, what it depends on of this tree, what it holds
    [InlineData("Hypercalls.Sdk", "MIT", "", "README.md lib/net10.0/Hypercalls.Sdk.dll lib/net10.0/Hypercalls.Sdk.xml")]
    [InlineData("Hypercalls.Testkit", "MIT", "Hypercalls.Sdk", "README.md lib/net10.0/Hypercalls.Testkit.dll lib/net10.0/Hypercalls.Testkit.xml")]
    [InlineData("Hypercalls.Grpc", "MIT", "", "README.md lib/net10.0/Hypercalls.Grpc.dll lib/net10.0/Hypercalls.Grpc.xml")]
    [InlineData("Hypercalls.Protos", "MIT AND Apache-2.0", "Hypercalls.Grpc", "NOTICE README.md lib/net10.0/Hypercalls.Protos.dll lib/net10.0/Hypercalls.Protos.xml protos/health.proto protos/hypercalls.proto protos/reflection.proto protos/reflection_v1alpha.proto")]
    [InlineData("Hypercalls.Client", "MIT", "Hypercalls.Protos", "README.md lib/net10.0/Hypercalls.Client.dll lib/net10.0/Hypercalls.Client.xml")]
    public async Task Says_what_it_is_and_carries_its_documentation(string id, string license, string dependencies, string files)
    {
        var version = await PackAsync();
        using var package = ZipFile.OpenRead(GuestImages.Source($"artifacts/packages/{id}.{version}.nupkg"));
        using var manifest = package.GetEntry($"{id}.nuspec")!.Open();
        var metadata = XDocument.Load(manifest).Root!.Elements().Single();
        string Of(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
        Assert.Equal((id, version, license, "README.md"), (Of("id"), Of("version"), Of("license"), Of("readme")));
        Assert.NotEmpty(Of("description"));
        Assert.Equal(
            dependencies.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(dependency => (dependency, version)),
            metadata.Descendants().Where(element => element.Name.LocalName == "dependency")
                .Select(dependency => (Id: dependency.Attribute("id")!.Value, Version: dependency.Attribute("version")!.Value))
                .Where(dependency => dependency.Id.StartsWith("Hypercalls.", StringComparison.Ordinal)));
        Assert.Equal(
            files.Split(' '),
            package.Entries.Select(entry => entry.FullName).Where(name => !name.EndsWith(".nuspec", StringComparison.Ordinal) && !name.StartsWith("_rels/", StringComparison.Ordinal) && !name.StartsWith("package/", StringComparison.Ordinal) && name != "[Content_Types].xml")
                .Order(StringComparer.Ordinal));
    }

    /// <summary>Packs, if that is to be done, and asks again: nothing has changed, and nothing is said.</summary>
    private static async Task<string> PackAsync()
    {
        Assert.Equal(0, (await RunAsync()).ExitCode);
        Assert.Equal((0, ""), await RunAsync());
        return (await File.ReadAllTextAsync(GuestImages.Source("artifacts/packages/version"))).Trim();
    }

    private static async Task<(int ExitCode, string Output)> RunAsync()
    {
        using var packing = Process.Start(new ProcessStartInfo("bash", [GuestImages.Source("pack.sh")]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = packing.StandardError.ReadToEndAsync();
        var output = await packing.StandardOutput.ReadToEndAsync() + await errors;
        await packing.WaitForExitAsync();
        return (packing.ExitCode, output);
    }
}

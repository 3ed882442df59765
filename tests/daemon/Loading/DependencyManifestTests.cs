using System.Text;
using Hypercalls.Daemon.Loading;

namespace Hypercalls.Tests.Daemon.Loading;

public sealed class DependencyManifestTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void The_manifests_of_real_plugins_are_whole()
    {
        string[] manifests = Directory.GetFiles(Path.Combine(TestDaemon.Artifacts, "plugins"), "*.deps.json", SearchOption.AllDirectories);
        Assert.NotEmpty(manifests);
        Assert.All(manifests, manifest => Assert.Null(DependencyManifest.Fault(manifest)));
    }

    [Theory]
    [InlineData("", "is no JSON: ")]
    [InlineData("[]", "names no runtimeTarget")]
    [InlineData("{}", "names no runtimeTarget")]
    [InlineData("""{"runtimeTarget":{"name":5}}""", "names no runtimeTarget")]
    [InlineData("""{"runtimeTarget":{"name":"a"}}""", "has no targets of its runtimeTarget")]
    [InlineData("""{"runtimeTarget":{"name":"a"},"targets":{"b":{}}}""", "has no targets of its runtimeTarget")]
    [InlineData("""{"runtimeTarget":{"name":"a"},"targets":{"a":{}}}""", "lists no libraries")]
    [InlineData("""{"runtimeTarget":{"name":"a"},"targets":{"a":{"X/1":{}}},"libraries":{}}""", "does not describe its library X/1")]
    [InlineData("""{"runtimeTarget":{"name":"a"},"targets":{"a":{"X/1":{}}},"libraries":{"X/1":{"type":"project"}}}""", "does not describe its library X/1")]
    [InlineData("""{"runtimeTarget":{"name":"a"},"targets":{"a":{"X/1":{"runtime":7}}},"libraries":{"X/1":{"type":"project","serviceable":false,"sha512":""}}}""", "has no list under runtime of X/1")]
    public void A_manifest_that_would_end_the_process_is_refused(string manifest, string fault)
    {
        File.WriteAllText(_path, manifest);
        Assert.StartsWith(fault, DependencyManifest.Fault(_path), StringComparison.Ordinal);
    }

    [Fact]
    public void Noise_is_refused_or_taken_and_never_worse()
    {
        var whole = File.ReadAllBytes(Directory.GetFiles(Path.Combine(TestDaemon.Artifacts, "plugins", "psci"), "*.deps.json").Single());
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            byte[] bytes = [.. whole];
            for (var n = random.Next(1, 4); n > 0; n--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(32, 127);
            }

            File.WriteAllBytes(_path, bytes);
            var fault = Record.Exception(() => DependencyManifest.Fault(_path));
            Assert.True(fault is null, $"seed {seed}, round {round}: {fault} for {Encoding.UTF8.GetString(bytes)}");
        }
    }
}

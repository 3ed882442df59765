using System.Text;
using System.Text.Json.Nodes;
using Hypercalls.Daemon.Loading;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Daemon.Loading;

public sealed class ReadmeSettingsTests
{
    [Theory]
    [InlineData("psci", "PSCI", typeof(PsciService))]
    [InlineData("smccc", "SMCCC", typeof(SmcccService))]
    [InlineData("trng", "TRNG", typeof(Hypercalls.Trng.TrngService))]
    [InlineData("acme", "ACME", typeof(Hypercalls.Acme.AcmeService))]
    public async Task What_a_README_shows_can_be_set(string plugin, string name, Type service)
    {
        var lines = await File.ReadAllLinesAsync(GuestImages.Source($"plugins/{plugin}/README.md"));
        var block = string.Join('\n', lines.SkipWhile(line => !line.StartsWith("    {", StringComparison.Ordinal)).TakeWhile(line => line.StartsWith("    ", StringComparison.Ordinal)));
        var members = Assert.IsType<JsonObject>(SettingsFile.Parse(Encoding.UTF8.GetBytes(block))![name]);
        Assert.NotEmpty(members);
        Assert.Equal(name, Settings.Create(service, members).Name);
    }
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>Real guests of the services that authors copy from: memory, registers, long functions, events, entropy.</summary>
[Collection(QemuMachines.Name)]
public sealed class AcmeGuestTests(GuestImages images) : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    private static readonly string s_acme = Path.Combine(TestDaemon.Artifacts, "samples", "acme");

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsTheory(Qemu)]
    [InlineData("1")]
    [InlineData("2")]
    public async Task A_guest_s_memory_and_registers_are_measured_and_quoted_into_its_memory(string el)
    {
        var nonce = "a nonce of thirty-two bytes: 1234"[..32];
        var run = await Tool.RunAsync(
            "run", "--service", s_acme, "--el", el, "--json",
            "--calls", $"ACME_EXTEND 0 'kernel' 6; ACME_EXTEND_VALUES 0 1 2 3 4 5 6 7 8; ACME_READ 0; ACME_QUOTE '{nonce}' [32]; ACME_EXTEND_VECTORS 1; ACME_READ 1; ACME_EXTEND 0 0x1000 4; ACME_EXTEND 0 0xFFFF_FFFF_FFFF_FFFF 2");
        Assert.Equal(0, run.ExitCode);
        var calls = JsonDocument.Parse(run.Output).RootElement;
        var digest = Extended(Extended(new byte[32], Encoding.UTF8.GetBytes("kernel")), [.. Enumerable.Range(1, 8).SelectMany(n => BitConverter.GetBytes((ulong)n))]);
        Assert.Equal([0, .. Enumerable.Range(0, 4).Select(n => BitConverter.ToUInt64(digest, 8 * n))], Registers(calls[2])[..5]);
        Assert.Equal(Quote(nonce, digest), Memory(calls[3]));
        // What the guest's VBAR and SCTLR are is its own; they are not nothing.
        Assert.NotEqual(Extended(new byte[32], new byte[16]), Registers(calls[5])[1..5].SelectMany(BitConverter.GetBytes));
        Assert.Equal([ulong.MaxValue - 1, ulong.MaxValue - 1], new[] { Registers(calls[6])[0], Registers(calls[7])[0] });
    }

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("1")]
    [InlineData("2")]
    public async Task The_event_that_a_service_raises_is_handled_before_its_caller_goes_on(string el)
    {
        var run = await Tool.RunAsync(
            "run", "--kernel", images["sdei_tamper"], "--cores", "1", "--memory", "64", "--el", el, "--service", s_acme,
            "--set", "ACME.tamperEvent=0x4000_0001", "--set", "SDEI.events=[{\"number\": \"0x4000_0001\", \"type\": \"private\"}]");
        string[] lines = [.. run.Output.Split('\n').Where(line => line.StartsWith("extend", StringComparison.Ordinal) || line.StartsWith("handled", StringComparison.Ordinal) || line.StartsWith("lock", StringComparison.Ordinal) || line.Contains("wrong", StringComparison.Ordinal) || line.StartsWith(' '))];
        Assert.Equal(["extend: 0x0", "handled: 0x0", "lock: 0x0", "handled: 0x64"], lines);
        Assert.Equal(0, run.ExitCode);
    }

    [NeedsFact(Qemu)]
    public async Task Entropy_comes_as_a_guest_asks_for_it()
    {
        var run = await Tool.RunAsync("run", "--json", "--calls", "TRNG_VERSION; TRNG_FEATURES 0xC4000053; 0xC4000053 192; 0xC4000053 192; 0x84000053 96; 0xC4000053 193; TRNG_GET_UUID");
        Assert.Equal((0, ""), (run.ExitCode, run.Errors));
        var calls = JsonDocument.Parse(run.Output).RootElement.EnumerateArray().Select(Registers).ToArray();
        Assert.Equal([0x1_0000, 0, 0, 0, 0, ulong.MaxValue - 1], calls[..6].Select(x => x[0]));
        Assert.NotEqual(calls[2][1..4], calls[3][1..4]);
        Assert.All(calls[4][1..4], word => Assert.InRange(word, 0ul, uint.MaxValue));
        Assert.Equal([0x0a1f_8b4c, 0x0e4e_527d, 0x1b2f_369a, 0x537d_e0c1], calls[6][..4]);
    }

    private static byte[] Extended(byte[] digest, byte[] measured) => SHA256.HashData([.. digest, .. SHA256.HashData(measured)]);

    /// <summary>With the default key and effort, as the service's README has it.</summary>
    private static byte[] Quote(string nonce, byte[] slot)
    {
        var (key, salt) = (Encoding.UTF8.GetBytes("acme"), Encoding.UTF8.GetBytes(nonce));
        for (var thousand = 0; thousand < 20; thousand++)
        {
            key = Rfc2898DeriveBytes.Pbkdf2(key, salt, 1000, HashAlgorithmName.SHA256, 32);
        }

        return HMACSHA256.HashData(key, (byte[])[.. salt, .. slot, .. new byte[7 * 32]]);
    }

    private static ulong[] Registers(JsonElement call) => [.. call.GetProperty("x").EnumerateArray().Select(x => Convert.ToUInt64(x.GetString(), 16))];

    private static byte[] Memory(JsonElement call) => Convert.FromHexString(call.GetProperty("memory").EnumerateArray().Last().GetProperty("bytes").GetString()!.Replace(" ", "", StringComparison.Ordinal));
}

using System.Diagnostics;
using System.Text.Json;
using Hypercalls.Tests.Client.Kvm;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests;

/// <summary>The bench as people run it: that it measures, never how fast.</summary>
[Collection(QemuMachines.Name)]
public sealed class BenchTests
{
    private static string Program { get; } = Path.Combine(TestDaemon.Artifacts, "bin", "Hypercalls.Bench", "release", "hypercalls-bench.dll");

    [Fact]
    public async Task Prints_each_figure_with_its_limit_and_its_aim_as_JSON()
    {
        var (exitCode, output) = await RunAsync("--quick", "--json", "--only", "allocation");
        Assert.Equal(0, exitCode);
        using var document = JsonDocument.Parse(output);
        Assert.Equal(Environment.ProcessorCount, document.RootElement.GetProperty("cores").GetInt32());
        Assert.Empty(document.RootElement.GetProperty("skipped").EnumerateArray());
        JsonElement[] figures = [.. document.RootElement.GetProperty("figures").EnumerateArray()];
        Assert.Equal(
            [
                "allocation: allocated in the daemon, stream (B)",
                "allocation: allocated in the client, stream (B)",
                "allocation: allocated in the daemon, unary (B)",
                "allocation: allocated in the client, unary (B)",
            ],
            figures.Select(figure => $"{figure.GetProperty("row")}: {figure.GetProperty("what")} ({figure.GetProperty("unit")})"));
        Assert.All(figures, figure => Assert.True(figure.GetProperty("value").GetDouble() > 0, figure.ToString()));
        Assert.Equal([500], figures.Select(figure => figure.GetProperty("aim")).Where(aim => aim.ValueKind == JsonValueKind.Object).Select(aim => aim.GetProperty("at_most").GetInt32()));
    }

    [Fact]
    public async Task Prints_a_table_without_colour_where_nobody_looks_at_a_terminal()
    {
        var (exitCode, output) = await RunAsync("--quick", "--only", "dispatch");
        Assert.Equal(0, exitCode);
        Assert.DoesNotContain('\u001b', output);
        Assert.Matches(@"\| dispatch: clock, randomness, turn, service, no state +\| +[0-9,]+ ns \| +[0-9,]+ ns service alone \|", output);
        Assert.Matches(@"\| exit message to answer message +\| +[0-9,]+ ns \| +[0-9,]+ ns protobuf alone \|", output);
    }

    [NeedsFact("qemu-system-aarch64", "aarch64-linux-gnu-gcc")]
    public async Task Measures_events_on_a_core_that_spins_and_on_one_that_sleeps()
    {
        var (exitCode, output) = await RunAsync("--quick", "--json", "--only", "sdei");
        Assert.Equal(0, exitCode);
        using var document = JsonDocument.Parse(output);
        Assert.Empty(document.RootElement.GetProperty("skipped").EnumerateArray());
        JsonElement[] figures = [.. document.RootElement.GetProperty("figures").EnumerateArray()];
        string[] cores = ["busy", "in WFI"];
        Assert.Equal(
            cores.SelectMany(core => (string[])
            [
                $"doorbell to exit, core {core}: p50",
                $"doorbell to exit, core {core}: p99",
                $"the clock of a raise, core {core}: known to ±",
                $"raise to handler, core {core}: p50",
                $"raise to handler, core {core}: p99",
                $"raise to handler, core {core}: p50 beside that sum",
                $"signal to handler, core {core}: p50",
                $"signal to handler, core {core}: p99",
                $"signal to handler, core {core}: p50 beside that sum",
            ]),
            figures.Select(figure => figure.GetProperty("what").GetString()));
        Assert.All(figures, figure => Assert.True(figure.GetProperty("value").GetDouble() > 0, figure.ToString()));
    }

    [RealKernelFact("6.12")]
    public async Task Measures_calls_of_a_guest_on_a_real_kernels_KVM()
    {
        var (exitCode, output) = await RunAsync("--quick", "--json", "--only", "kvm");
        Assert.Equal(0, exitCode);
        using var document = JsonDocument.Parse(output);
        Assert.Empty(document.RootElement.GetProperty("skipped").EnumerateArray());
        JsonElement[] figures = [.. document.RootElement.GetProperty("figures").EnumerateArray()];
        string[] conduits = ["SMC", "HVC"];
        Assert.Equal(
            conduits.SelectMany(conduit => (string[])
            [
                $"{conduit} handled in the kernel, CPU emulated: p50 (µs)",
                $"{conduit} handled in the kernel, CPU emulated: p99 (µs)",
                $"{conduit} answered on the spot, CPU emulated: p50 (µs)",
                $"{conduit} answered on the spot, CPU emulated: p99 (µs)",
                $"{conduit} answered by the daemon, CPU emulated: p50 (µs)",
                $"{conduit} answered by the daemon, CPU emulated: p99 (µs)",
                $"{conduit}: p50 daemon beside on the spot (×)",
                $"{conduit}: p50 on the spot beside in the kernel (×)",
                $"{conduit}: p50 daemon beside in the kernel (×)",
                $"{conduit} that changes x0: ioctls, KVM_RUN included (ioctls)",
                $"{conduit} that changes x0 to x3: ioctls, KVM_RUN included (ioctls)",
            ]),
            figures.Select(figure => $"{figure.GetProperty("what")} ({figure.GetProperty("unit")})"));
        Assert.All(figures, figure => Assert.True(figure.GetProperty("value").GetDouble() > 0, figure.ToString()));
        Assert.Equal([11, 11, 11, 11], figures.Select(figure => figure.GetProperty("aim")).Where(aim => aim.ValueKind == JsonValueKind.Object).Select(aim => aim.GetProperty("at_most").GetInt32()));
    }

    [Fact]
    public async Task Says_why_calls_on_KVM_are_not_measured_where_the_kernel_is_missing()
    {
        var nowhere = Path.Combine(Path.GetTempPath(), $"no-kernels-{Guid.NewGuid():N}");
        var (exitCode, output) = await RunAsync(new Dictionary<string, string?> { ["HYPERCALLS_KERNELS"] = nowhere }, "--quick", "--json", "--only", "kvm", "allocation");
        Assert.Equal(0, exitCode);
        using var document = JsonDocument.Parse(output);
        Assert.Equal([$"kvm: Linux 6.12 is not in {nowhere}: tests/kernels/fetch.sh brings it."], document.RootElement.GetProperty("skipped").EnumerateArray().Select(skipped => skipped.GetString()));
        Assert.NotEmpty(document.RootElement.GetProperty("figures").EnumerateArray());
    }

    private static Task<(int ExitCode, string Output)> RunAsync(params string[] arguments) => RunAsync([], arguments);

    private static async Task<(int ExitCode, string Output)> RunAsync(Dictionary<string, string?> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.DoesNotContain("exception", await errors, StringComparison.OrdinalIgnoreCase);
        return (process.ExitCode, output);
    }
}

using System.Globalization;
using System.Text.RegularExpressions;
using Hypercalls.Bench.Guests;
using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Processes;

namespace Hypercalls.Bench.Rows;

/// <summary>One SMC and one HVC as a guest in QEMU sees them, by its own counter (tests/Guest/latency.c): the whole way and back.</summary>
internal static partial class GuestView
{
    public static void Measure(Run run)
    {
        var stream = run.Stream(1);
        var folder = Directory.CreateTempSubdirectory("hypercalls-bench-").FullName;
        try
        {
            run.Say("a guest's SMC and HVC");
            var kernel = GuestImage.Build(folder, "latency", $"-DFUNCTION=PSCI_VERSION -DEXPECTED={PsciVersionCall.Version} -DCALLS={(run.IsQuick ? 2_000 : 20_000)}");
            using var daemon = DaemonProcess.Start();
            var console = Built.Run(Built.StartTool("run", "--kernel", kernel, "--cores", "1", "--memory", "64", "--daemon", daemon.Address.ToString()));
            Add(run, console, "smc", "SMC", stream.P50, stream.P99);
            Add(run, console, "hvc", "HVC", stream.P50, stream.P99);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The last of several rounds: those before are for the compilers on the way.</summary>
    private static void Add(Run run, string console, string name, string shown, double p50, double p99)
    {
        var rounds = Line().Matches(console).Where(match => match.Groups["name"].Value == name).ToArray();
        if (rounds is not [.., var last] || rounds.Any(round => round.Groups["wrong"].Value != "0"))
        {
            throw new BenchException($"The guest did not print what was expected: {console}");
        }

        run.Add(
            new Figure("guest", $"{shown} by the guest's counter: p50", Microseconds(last, "p50"), Unit.Microseconds) { Limit = new(p50, "stream, 1 caller") },
            new Figure("guest", $"{shown} by the guest's counter: p99", Microseconds(last, "p99"), Unit.Microseconds) { Limit = new(p99, "stream, 1 caller") });
    }

    private static double Microseconds(Match match, string group) => double.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) / 1000;

    [GeneratedRegex(@"^(?<name>smc|hvc): wrong (?<wrong>\d+), p50 ns (?<p50>\d+), p99 ns (?<p99>\d+)", RegexOptions.Multiline)]
    private static partial Regex Line();
}

using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Load;
using Hypercalls.Bench.Processes;
using Hypercalls.Bench.Raw;
using Hypercalls.Grpc;

namespace Hypercalls.Bench.Rows;

/// <summary>One machine calls now and then no more than it needs; another, in a process of its own, calls without pause from eight vCPUs.</summary>
internal static class Flood
{
    private const int Callers = 8;
    private const int Rounds = 3;
    private const double TimesAtMost = 2;

    public static void Measure(Run run)
    {
        var (quiet, flooded) = Daemon(run);
        var (rawQuiet, rawFlooded) = Raw(run);
        run.Add(
            new Figure("flood", "p99 of a machine alone, 1 caller", quiet, Unit.Microseconds) { Limit = new(rawQuiet, "raw socket") },
            new Figure("flood", $"p99 of it while another machine's {Callers} callers flood", flooded, Unit.Microseconds) { Limit = new(rawFlooded, "raw socket, flooded") },
            new Figure("flood", "that much longer", flooded / quiet, Unit.Times) { Limit = new(rawFlooded / rawQuiet, "raw socket"), AtMost = TimesAtMost });
    }

    /// <summary>What the bench runs itself as: calls until its input ends.</summary>
    /// <param name="kind">"raw", or the daemon.</param>
    /// <param name="address">Of the one that answers.</param>
    public static void Run(string kind, string address)
    {
        using var machine = kind == "raw" ? null : AttachedMachine.Attach(GrpcAddress.Parse(address), Callers, $"flood {Environment.ProcessId}");
        var callers = machine?.Streams(Callers) ?? RawCaller.Several(Callers, EchoProcess.AddressOf(address));
        foreach (var caller in callers)
        {
            new Thread(() =>
            {
                while (true)
                {
                    caller.Call();
                }
            })
            { IsBackground = true }.Start();
        }

        Console.In.ReadToEnd();
        Environment.Exit(0);
    }

    private static (double Quiet, double Flooded) Daemon(Run run)
    {
        using var daemon = DaemonProcess.Start();
        return Rounded(run, "flood", "daemon", daemon.Address.ToString(), round =>
        {
            using var machine = AttachedMachine.Attach(daemon.Address, 1, $"steady {round}");
            return ClosedLoop.Run(machine.Streams(1), run.Times, daemon);
        });
    }

    private static (double Quiet, double Flooded) Raw(Run run)
    {
        using var echo = EchoProcess.Start(PsciVersionCall.Sizes, isTcp: false, isAsync: false);
        return Rounded(run, "flood of the raw socket", "raw", echo.Address.ToString()!, _ => ClosedLoop.Run(RawCaller.Several(1, echo.Address), run.Times, echo));
    }

    /// <summary>Medians of rounds, with and without in turns: what else runs here is in both.</summary>
    private static (double, double) Rounded(Run run, string what, string kind, string address, Func<string, LoadResult> load)
    {
        List<double> quiet = [], flooded = [];
        for (var round = 0; round < (run.IsQuick ? 1 : Rounds); round++)
        {
            run.Say($"{what}, alone");
            quiet.Add(load($"{round}, alone").P99);
            run.Say($"{what}, under it");
            using var flood = new FloodProcess(kind, address);
            flooded.Add(load($"{round}, flooded").P99);
        }

        return (Median(quiet), Median(flooded));
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed class FloodProcess(string kind, string address) : OtherEnd(Built.StartBench("flood", kind, address), NewFolder());
}

using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Load;
using Hypercalls.Bench.Processes;

namespace Hypercalls.Bench.Rows;

/// <summary>PSCI_VERSION over the Unix socket, by 1, 16 and 64 vCPUs of one machine on one connection, as a host has it.</summary>
internal static class ForwardedCalls
{
    private const double StreamP50AtMost = 50;
    private static readonly int[] s_callers = [1, 16, 64];

    public static void Stream(Run run)
    {
        foreach (var count in s_callers)
        {
            var load = Load(run, "stream", count, machine => machine.Streams(count));
            run.Add(Run.Compare("stream", $"stream, {Callers(count)}", load, run.Raw(count), "raw socket", count == 1 ? StreamP50AtMost : null));
        }

        run.Add(new Figure("stream", "raw socket on asynchronous operations, 1 caller: p50", run.Raw(1, isAsync: true).P50, Unit.Microseconds) { Limit = new(run.Raw(1).P50, "raw socket") });
    }

    public static void Unary(Run run)
    {
        foreach (var count in s_callers)
        {
            var load = Load(run, "unary", count, machine => machine.Unary(count));
            run.Add(Run.Compare("unary", $"unary, {Callers(count)}", load, run.Raw(count), "raw socket"));
        }
    }

    private static LoadResult Load(Run run, string row, int count, Func<AttachedMachine, IReadOnlyList<ICaller>> callers)
    {
        run.Say($"{row}, {Callers(count)}");
        using var daemon = DaemonProcess.Start();
        using var machine = AttachedMachine.Attach(daemon.Address, count);
        return ClosedLoop.Run(callers(machine), run.Times, daemon);
    }

    private static string Callers(int count) => count == 1 ? "1 caller" : $"{count} callers";
}

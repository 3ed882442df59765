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
            // The raw socket right before: a machine is seldom the same for long.
            var raw = run.Raw(count);
            run.Add("stream", $"stream, {Run.Callers(count)}", run.Stream(count), raw, "raw socket", count == 1 ? StreamP50AtMost : null);
        }

        run.Add(new Figure("stream", "raw socket on asynchronous operations, 1 caller: p50", run.Raw(1, isAsync: true).P50, Unit.Microseconds) { Limit = new(run.Raw(1).P50, "raw socket") });
    }

    public static void Unary(Run run)
    {
        foreach (var count in s_callers)
        {
            var raw = run.Raw(count);
            run.Add("unary", $"unary, {Run.Callers(count)}", Unary(run, count), raw, "raw socket");
        }
    }

    private static LoadResult Unary(Run run, int count)
    {
        run.Say($"unary, {Run.Callers(count)}");
        using var daemon = DaemonProcess.Start();
        using var machine = AttachedMachine.Attach(daemon.Address, count);
        return ClosedLoop.Run(machine.Unary(count), run.Times, daemon);
    }
}

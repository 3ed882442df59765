using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Load;
using Hypercalls.Bench.Processes;

namespace Hypercalls.Bench.Rows;

/// <summary>Managed bytes that one call costs at both ends.</summary>
internal static class Allocation
{
    private const double DaemonAtMost = 500;

    public static void Measure(Run run)
    {
        using var daemon = DaemonProcess.Start(isProbed: true);
        using var machine = AttachedMachine.Attach(daemon.Address, 1);
        var raw = run.Raw(1);
        var limit = new Limit((double)raw.AllocatedHere / raw.Calls, "raw socket");
        run.Say("allocation, stream");
        Add("stream", machine.Streams(1), DaemonAtMost);
        run.Say("allocation, unary");
        Add("unary", machine.Unary(1), null);

        void Add(string what, IReadOnlyList<ICaller> callers, double? atMost)
        {
            var load = ClosedLoop.Run(callers, run.Times, daemon, isProbed: true);
            run.Add(
                new Figure("allocation", $"allocated in the daemon, {what}", (double)load.AllocatedThere / load.Calls, Unit.Bytes) { Limit = limit, AtMost = atMost },
                new Figure("allocation", $"allocated in the client, {what}", (double)load.AllocatedHere / load.Calls, Unit.Bytes) { Limit = limit });
        }
    }
}

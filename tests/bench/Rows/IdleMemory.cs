using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Processes;

namespace Hypercalls.Bench.Rows;

/// <summary>What the daemon holds for vCPUs that have called once and call no more.</summary>
internal static class IdleMemory
{
    private const int Vcpus = 1000;
    private const double KibibytesAtMost = 64;

    public static void Measure(Run run)
    {
        using var daemon = DaemonProcess.Start(isProbed: true);
        using (var first = AttachedMachine.Attach(daemon.Address, 16, "first"))
        {
            // What the first calls of a process cost is no vCPU's.
            run.Say("memory, a first machine");
            Load.ClosedLoop.Run(first.Streams(16), run.Times, daemon);
        }

        var heapBefore = daemon.HeapBytes();
        var residentBefore = daemon.ResidentBytes();
        run.Say($"memory, {Vcpus} vCPUs");
        using var machine = AttachedMachine.Attach(daemon.Address, Vcpus, "idle");
        var vcpus = machine.Streams(Vcpus);
        foreach (var vcpu in vcpus)
        {
            vcpu.Call();
        }

        var asItStands = daemon.ResidentBytes() - residentBefore;
        var heap = daemon.HeapBytes() - heapBefore;
        var collected = daemon.ResidentBytes() - residentBefore;
        run.Add(
            new Figure("memory", $"resident in the daemon, per idle vCPU of {Vcpus}", PerVcpu(asItStands), Unit.Kibibytes) { AtMost = KibibytesAtMost },
            new Figure("memory", "the same after a collection", PerVcpu(collected), Unit.Kibibytes) { AtMost = KibibytesAtMost },
            new Figure("memory", "of it on the managed heap", PerVcpu(heap), Unit.Kibibytes) { Limit = new(PerVcpu(collected), "resident") });
        foreach (var vcpu in vcpus)
        {
            vcpu.Dispose();
        }
    }

    private static double PerVcpu(long bytes) => bytes / 1024.0 / Vcpus;
}

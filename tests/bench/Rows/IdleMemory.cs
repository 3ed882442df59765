using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Load;
using Hypercalls.Bench.Processes;

namespace Hypercalls.Bench.Rows;

/// <summary>What the daemon holds for vCPUs that have called once and call no more.</summary>
internal static class IdleMemory
{
    private const int Vcpus = 1000;
    private const double KibibytesAtMost = 64;

    public static void Measure(Run run)
    {
        Measure(run, Vcpus, "one machine");
        Measure(run, 4, $"{Vcpus / 4} machines");
    }

    private static void Measure(Run run, int cores, string shape)
    {
        run.Say($"memory, {Vcpus} vCPUs, {shape}");
        using var daemon = DaemonProcess.Start(isProbed: true);
        using (var first = AttachedMachine.Attach(daemon.Address, 16, "first"))
        {
            // What the first calls of a process cost is no vCPU's.
            ClosedLoop.Run(first.Streams(16), run.Times, daemon);
        }

        var heapBefore = daemon.HeapBytes();
        var residentBefore = daemon.ResidentBytes();
        AttachedMachine[] machines = [.. Enumerable.Range(0, Vcpus / cores).Select(n => AttachedMachine.Attach(daemon.Address, cores, $"idle {n}"))];
        ICaller[] vcpus = [.. machines.SelectMany(machine => machine.Streams(cores))];
        foreach (var vcpu in vcpus)
        {
            vcpu.Call();
        }

        var asItStands = PerVcpu(daemon.ResidentBytes() - residentBefore);
        var heap = PerVcpu(daemon.HeapBytes() - heapBefore);
        var collected = PerVcpu(daemon.ResidentBytes() - residentBefore);
        run.Add(
            new Figure("memory", $"resident in the daemon, per idle vCPU of {Vcpus}, {shape}", asItStands, Unit.Kibibytes) { AtMost = KibibytesAtMost },
            new Figure("memory", $"the same after a collection, {shape}", collected, Unit.Kibibytes) { AtMost = KibibytesAtMost },
            new Figure("memory", $"of it on the managed heap, {shape}", heap, Unit.Kibibytes) { Limit = new(collected, "resident") });
        foreach (var vcpu in vcpus)
        {
            vcpu.Dispose();
        }

        foreach (var machine in machines)
        {
            machine.Dispose();
        }
    }

    private static double PerVcpu(long bytes) => bytes / 1024.0 / Vcpus;
}

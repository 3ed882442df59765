using System.Diagnostics;
using Hypercalls.Bench.Load;

namespace Hypercalls.Bench.InProcess;

/// <summary>What one call of a batch costs.</summary>
/// <param name="Nanoseconds">The median of the batches.</param>
/// <param name="Bytes">Allocated by the thread.</param>
internal sealed record BatchCost(double Nanoseconds, double Bytes)
{
    public static BatchCost Of(IBatch batch, Times times)
    {
        Measure(batch, times.WarmUp);
        return Measure(batch, times.Measure);
    }

    private static BatchCost Measure(IBatch batch, TimeSpan time)
    {
        List<double> nanoseconds = [];
        long bytes = 0;
        var began = Stopwatch.GetTimestamp();
        while (nanoseconds.Count == 0 || Stopwatch.GetElapsedTime(began) < time)
        {
            batch.Prepare();
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var started = Stopwatch.GetTimestamp();
            batch.Run();
            var elapsed = Stopwatch.GetElapsedTime(started);
            bytes += GC.GetAllocatedBytesForCurrentThread() - allocated;
            nanoseconds.Add(elapsed.TotalNanoseconds / IBatch.Calls);
        }

        nanoseconds.Sort();
        return new(nanoseconds[nanoseconds.Count / 2], (double)bytes / nanoseconds.Count / IBatch.Calls);
    }
}

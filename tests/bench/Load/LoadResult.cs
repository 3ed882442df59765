namespace Hypercalls.Bench.Load;

/// <summary>What a closed loop of callers has measured.</summary>
/// <param name="Calls">In the measured time.</param>
/// <param name="P50">The median, in microseconds.</param>
/// <param name="P99">In microseconds.</param>
/// <param name="CpuSeconds">Of both ends together.</param>
/// <param name="AllocatedHere">Bytes allocated by this process.</param>
/// <param name="AllocatedThere">Bytes allocated by the other one; 0 where nobody asks it.</param>
internal sealed record LoadResult(long Calls, double P50, double P99, double CpuSeconds, long AllocatedHere, long AllocatedThere)
{
    public double CallsPerCpuSecond => Calls / CpuSeconds;
}

using System.Diagnostics;
using Hypercalls.Bench.Processes;

namespace Hypercalls.Bench.Load;

/// <summary>Callers on a thread each, every one with its next call as soon as its last is answered.</summary>
internal sealed class ClosedLoop
{
    private const int TimingsKept = 4_000_000;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    private readonly Timings[] _timings;
    private readonly Thread[] _threads;
    private volatile Phase _phase = Phase.WarmUp;
    private volatile Exception? _fault;

    private ClosedLoop(IReadOnlyList<ICaller> callers)
    {
        _timings = [.. callers.Select(_ => new Timings(TimingsKept / callers.Count))];
        _threads = [.. callers.Select((caller, n) => new Thread(() => Loop(caller, _timings[n])) { Name = $"caller {n}", IsBackground = true })];
        foreach (var thread in _threads)
        {
            thread.Start();
        }
    }

    private enum Phase
    {
        WarmUp,
        Measure,
        Stop,
    }

    /// <summary>Runs the callers and disposes of them.</summary>
    /// <param name="callers">One thread each.</param>
    /// <param name="times">Warm-up and measuring.</param>
    /// <param name="there">The process at the other end.</param>
    /// <param name="isProbed">Whether the other end is asked what it allocates.</param>
    public static LoadResult Run(IReadOnlyList<ICaller> callers, Times times, OtherEnd there, bool isProbed = false)
    {
        var loop = new ClosedLoop(callers);
        loop.Wait(times.WarmUp);
        var before = Reading.Take(there, isProbed);
        loop._phase = Phase.Measure;
        loop.Wait(times.Measure);
        loop._phase = Phase.Stop;
        foreach (var thread in loop._threads)
        {
            thread.Join();
        }

        var after = Reading.Take(there, isProbed);
        foreach (var caller in callers)
        {
            caller.Dispose();
        }

        return loop.Result(before, after);
    }

    private void Loop(ICaller caller, Timings mine)
    {
        try
        {
            while (_phase is var phase && phase != Phase.Stop)
            {
                var began = Stopwatch.GetTimestamp();
                caller.Call();
                if (phase == Phase.Measure)
                {
                    mine.Add(Stopwatch.GetTimestamp() - began);
                }
            }
        }
        catch (Exception e)
        {
            _fault = e;
            _phase = Phase.Stop;
        }
    }

    /// <summary>A fault ends it early.</summary>
    private void Wait(TimeSpan time)
    {
        var began = Stopwatch.GetTimestamp();
        while (_fault is null && time - Stopwatch.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
        {
            Thread.Sleep(left < s_look ? left : s_look);
        }
    }

    private LoadResult Result(Reading before, Reading after)
    {
        if (_fault is { } fault)
        {
            throw new BenchException(fault.Message);
        }

        var sorted = Timings.Sorted(_timings);
        return sorted.Length == 0
            ? throw new BenchException("No call was answered in the measured time.")
            : new(
                _timings.Sum(one => one.Count),
                Timings.Percentile(sorted, 50),
                Timings.Percentile(sorted, 99),
                after.CpuSeconds - before.CpuSeconds,
                after.AllocatedHere - before.AllocatedHere,
                after.AllocatedThere - before.AllocatedThere);
    }

    private readonly record struct Reading(double CpuSeconds, long AllocatedHere, long AllocatedThere)
    {
        public static Reading Take(OtherEnd there, bool isProbed) => new(
            Environment.CpuUsage.TotalTime.TotalSeconds + there.CpuSeconds(),
            GC.GetTotalAllocatedBytes(precise: true),
            isProbed ? there.Allocated() : 0);
    }
}

/// <summary>How long a measurement takes.</summary>
/// <param name="WarmUp">Until compilers have done their work.</param>
/// <param name="Measure">What counts.</param>
internal sealed record Times(TimeSpan WarmUp, TimeSpan Measure);

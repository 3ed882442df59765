using System.Diagnostics;
using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Running;

/// <summary>Measures each hypercall from the exit taken to the answer in hand, as the vCPU feels it.</summary>
internal sealed class TimedForwarder(IExitForwarder inner) : IExitForwarder
{
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, List<long>> _nanoseconds = [];

    /// <summary>Hypercalls that were answered or fell back.</summary>
    public int Count { get; private set; }

    public Answer? Forward(Exit exit)
    {
        var started = Stopwatch.GetTimestamp();
        var answer = inner.Forward(exit);
        var elapsed = Stopwatch.GetElapsedTime(started).Ticks * 100;
        if (exit.Hypercall is { } call)
        {
            lock (_lock)
            {
                Count++;
                var id = (uint)call.X0;
                if (!_nanoseconds.TryGetValue(id, out var list))
                {
                    _nanoseconds[id] = list = [];
                }

                list.Add(elapsed);
            }
        }

        return answer;
    }

    public IReadOnlyList<(uint Id, long[] Nanoseconds)> Measured()
    {
        lock (_lock)
        {
            return [.. _nanoseconds.Select(pair => (pair.Key, pair.Value.ToArray()))];
        }
    }
}

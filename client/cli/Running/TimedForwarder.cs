using System.Diagnostics;
using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Running;

/// <summary>Measures each hypercall from the exit taken to the answer in hand, as the vCPU feels it.</summary>
internal sealed class TimedForwarder(IExitForwarder inner) : IExitForwarder
{
    /// <summary>Stands for all IDs beyond the first few hundred; no function has it.</summary>
    public const uint Others = uint.MaxValue;

    private const int MostIds = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<uint, LatencyHistogram> _times = [];

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
                // The guest chooses the IDs: what does not fit is measured together.
                var id = (uint)call.X0;
                if (!_times.TryGetValue(id, out var times))
                {
                    id = _times.Count < MostIds ? id : Others;
                    _times[id] = times = _times.GetValueOrDefault(id) ?? new();
                }

                times.Add(elapsed);
            }
        }

        return answer;
    }

    public void GaveUp(Exit exit) => inner.GaveUp(exit);

    public uint Uses(Conduit conduit, uint imm, uint w0) => inner.Uses(conduit, imm, w0);

    public IReadOnlyList<(uint Id, LatencyHistogram Times)> Measured()
    {
        lock (_lock)
        {
            return [.. _times.Select(pair => (pair.Key, pair.Value))];
        }
    }
}

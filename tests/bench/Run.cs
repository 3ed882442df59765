using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Load;
using Hypercalls.Bench.Raw;

namespace Hypercalls.Bench;

/// <summary>One run: how long things take, what the raw socket does here, and what has been measured so far.</summary>
internal sealed class Run(bool isQuick, Action<string> progress)
{
    private readonly Dictionary<(int, bool, bool), LoadResult> _raw = [];
    private readonly List<Figure> _figures = [];

    public bool IsQuick => isQuick;

    public IReadOnlyList<Figure> Figures => _figures;

    public Times Times { get; } = isQuick
        ? new(TimeSpan.FromSeconds(0.7), TimeSpan.FromSeconds(0.7))
        : new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(4));

    public void Say(string what) => progress(what);

    public void Add(params IEnumerable<Figure> figures) => _figures.AddRange(figures);

    /// <summary>The raw ping-pong on this machine, measured once for each number of callers and each kind of socket.</summary>
    public LoadResult Raw(int callers, bool isTcp = false, bool isAsync = false)
    {
        if (_raw.TryGetValue((callers, isTcp, isAsync), out var known))
        {
            return known;
        }

        Say($"raw {(isTcp ? "TCP" : "Unix")} socket{(isAsync ? ", async" : "")}, {callers} callers");
        using var echo = EchoProcess.Start(PsciVersionCall.Sizes, isTcp, isAsync);
        var result = ClosedLoop.Run([.. Enumerable.Range(0, callers).Select(_ => new RawCaller(echo.Address, PsciVersionCall.Sizes, isAsync))], Times, echo);
        _raw.Add((callers, isTcp, isAsync), result);
        return result;
    }

    /// <summary>The three figures of a load, each beside the raw one.</summary>
    public static IEnumerable<Figure> Compare(string row, string what, LoadResult load, LoadResult limit, string limitIs, double? p50AtMost = null) =>
    [
        new(row, $"{what}: p50", load.P50, Unit.Microseconds) { Limit = new(limit.P50, limitIs), AtMost = p50AtMost },
        new(row, $"{what}: p99", load.P99, Unit.Microseconds) { Limit = new(limit.P99, limitIs) },
        new(row, $"{what}: throughput", load.CallsPerCpuSecond, Unit.CallsPerCpuSecond) { Limit = new(limit.CallsPerCpuSecond, limitIs) },
    ];
}

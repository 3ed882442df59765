using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Load;
using Hypercalls.Bench.Processes;
using Hypercalls.Bench.Raw;

namespace Hypercalls.Bench;

/// <summary>One run: how long things take, what is measured once for all rows, and the figures so far.</summary>
internal sealed class Run(bool isQuick, double seconds, Action<string> progress)
{
    // Until the daemon's compiler has seen which code is hot.
    private const double LeastWarmUp = 3;

    private readonly Dictionary<(int, bool, bool), LoadResult> _raw = [];
    private readonly Dictionary<int, LoadResult> _streams = [];
    private readonly List<Figure> _figures = [];

    public bool IsQuick => isQuick;

    public IReadOnlyList<Figure> Figures => _figures;

    public Times Times { get; } = isQuick
        ? new(TimeSpan.FromSeconds(0.7), TimeSpan.FromSeconds(0.7))
        : new(TimeSpan.FromSeconds(Math.Max(seconds, LeastWarmUp)), TimeSpan.FromSeconds(seconds));

    public void Say(string what) => progress(what);

    public void Add(params IEnumerable<Figure> figures) => _figures.AddRange(figures);

    /// <summary>The three figures of a load, each beside those of another.</summary>
    public void Add(string row, string what, LoadResult load, LoadResult limit, string limitIs, double? p50AtMost = null) => Add(
        new Figure(row, $"{what}: p50", load.P50, Unit.Microseconds) { Limit = new(limit.P50, limitIs), AtMost = p50AtMost },
        new Figure(row, $"{what}: p99", load.P99, Unit.Microseconds) { Limit = new(limit.P99, limitIs) },
        new Figure(row, $"{what}: throughput", load.CallsPerCpuSecond, Unit.CallsPerCpuSecond) { Limit = new(limit.CallsPerCpuSecond, limitIs) });

    /// <summary>The raw ping-pong on this machine, measured once for each number of callers and each kind of socket.</summary>
    public LoadResult Raw(int callers, bool isTcp = false, bool isAsync = false)
    {
        if (!_raw.TryGetValue((callers, isTcp, isAsync), out var result))
        {
            Say($"raw {(isTcp ? "TCP" : "Unix")} socket{(isAsync ? " on asynchronous operations" : "")}, {Callers(callers)}");
            using var echo = EchoProcess.Start(PsciVersionCall.Sizes, isTcp, isAsync);
            result = ClosedLoop.Run(RawCaller.Several(callers, echo.Address, isAsync), Times, echo);
            _raw.Add((callers, isTcp, isAsync), result);
        }

        return result;
    }

    /// <summary>Forwarded calls on vCPU streams over the Unix socket, measured once for each number of callers.</summary>
    public LoadResult Stream(int callers)
    {
        if (!_streams.TryGetValue(callers, out var result))
        {
            Say($"stream, {Callers(callers)}");
            using var daemon = DaemonProcess.Start();
            using var machine = AttachedMachine.Attach(daemon.Address, callers);
            result = ClosedLoop.Run(machine.Streams(callers), Times, daemon);
            _streams.Add(callers, result);
        }

        return result;
    }

    public static string Callers(int count) => count == 1 ? "1 caller" : $"{count} callers";
}

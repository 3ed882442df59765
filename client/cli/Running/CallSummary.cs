using System.Globalization;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;
using Spectre.Console;

namespace Hypercalls.Cli.Running;

/// <summary>What a run's calls were: function, count, times, results.</summary>
internal sealed class CallSummary
{
    private const int MostNames = 256;
    private const int MostResults = 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, SortedDictionary<string, int>> _results = [];
    private readonly Dictionary<uint, string> _names = [];

    /// <summary>Records seen, and those that were dropped on the way.</summary>
    public int Count { get; private set; }

    public void Add(CallRecord record)
    {
        lock (_lock)
        {
            Count += 1 + (int)record.Dropped;
            // The guest chooses IDs and, by them, results: what is kept of them has an end.
            var name = CallLine.Name(record);
            if (!_results.TryGetValue(name, out var results))
            {
                if (_results.Count == MostNames)
                {
                    return;
                }

                _results[name] = results = [];
            }

            _names[record.Id] = name;
            // Effects say where a call does not return.
            var result = record.ResultText.Length > 0 ? record.ResultText : record.EffectText;
            var key = results.ContainsKey(result) || results.Count < MostResults ? result : "…";
            results[key] = results.GetValueOrDefault(key) + 1;
        }
    }

    /// <summary>The table; times are round trips as the vCPU feels them.</summary>
    public Table ToTable(IEnumerable<TimedForwarder> vcpus)
    {
        var table = Terminal.Table("function", "count", "p50", "p99", "results");
        lock (_lock)
        {
            foreach (var (name, times) in Functions(vcpus).OrderByDescending(function => function.Times.Count).ThenBy(function => function.Name, StringComparer.Ordinal))
            {
                var results = _results.GetValueOrDefault(name)?.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Key} {result.Value}×")) ?? [];
                table.Row(
                    name,
                    times.Count.ToString(CultureInfo.InvariantCulture),
                    CallLine.Duration(times.Percentile(50)),
                    CallLine.Duration(times.Percentile(99)),
                    string.Join(", ", results));
            }
        }

        return table;
    }

    private IEnumerable<(string Name, LatencyHistogram Times)> Functions(IEnumerable<TimedForwarder> vcpus)
    {
        var functions = new Dictionary<string, LatencyHistogram>();
        foreach (var (id, times) in vcpus.SelectMany(vcpu => vcpu.Measured()))
        {
            var name = id == TimedForwarder.Others ? "others" : _names.GetValueOrDefault(id) ?? CallLine.Id(id);
            if (!functions.TryGetValue(name, out var all))
            {
                functions[name] = all = new();
            }

            all.Add(times);
        }

        return functions.Select(function => (function.Key, function.Value));
    }
}

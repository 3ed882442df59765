using System.Globalization;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;
using Spectre.Console;

namespace Hypercalls.Cli.Running;

/// <summary>What a run's calls were: function, count, times, results.</summary>
internal sealed class CallSummary
{
    private readonly Dictionary<string, SortedDictionary<string, int>> _results = [];
    private readonly Dictionary<uint, string> _names = [];

    /// <summary>Records seen, and those that were dropped on the way.</summary>
    public int Count { get; private set; }

    public void Add(CallRecord record)
    {
        Count += 1 + (int)record.Dropped;
        var name = CallLine.Name(record);
        _names[record.Id] = name;
        if (!_results.TryGetValue(name, out var results))
        {
            _results[name] = results = [];
        }

        // Effects say where a call does not return.
        var result = record.ResultText.Length > 0 ? record.ResultText : record.EffectText;
        results[result] = results.GetValueOrDefault(result) + 1;
    }

    /// <summary>The table; times are round trips as the vCPU feels them.</summary>
    public Table ToTable(IEnumerable<TimedForwarder> vcpus)
    {
        var table = Terminal.Table("function", "count", "p50", "p99", "results");
        var functions = vcpus
            .SelectMany(vcpu => vcpu.Measured())
            .GroupBy(measured => _names.GetValueOrDefault(measured.Id) ?? CallLine.Id(measured.Id), measured => measured.Nanoseconds)
            .Select(group => (Name: group.Key, Times: group.SelectMany(times => times).Order().ToArray()))
            .OrderByDescending(function => function.Times.Length)
            .ThenBy(function => function.Name, StringComparer.Ordinal);
        foreach (var (name, times) in functions)
        {
            var results = _results.GetValueOrDefault(name)?.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Key} {result.Value}×")) ?? [];
            table.Row(name, times.Length.ToString(CultureInfo.InvariantCulture), Percentile(times, 50), Percentile(times, 99), string.Join(", ", results));
        }

        return table;
    }

    private static string Percentile(long[] sorted, int percent) =>
        CallLine.Duration(sorted[Math.Min(sorted.Length - 1, sorted.Length * percent / 100)]);
}

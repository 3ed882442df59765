using Grpc.Core;
using Hypercalls.Bench.Output;

namespace Hypercalls.Bench;

/// <summary>Measures row after row, and shows what came of it.</summary>
internal static class Bench
{
    private const int Done = 0;
    private const int Missed = 1;

    /// <returns>0; 1 when nothing could be measured, or when strictness was asked for and an aim was missed.</returns>
    public static int Measure(IReadOnlyDictionary<string, Action<Run>> rows, IReadOnlyList<string> only, bool isQuick, double seconds, bool isJson, bool isStrict)
    {
        var machine = Machine.Describe();
        var run = new Run(isQuick, seconds, what => Console.Error.WriteLine($"{what}…"));
        List<string> skipped = [];
        foreach (var (name, measure) in rows.Where(row => only.Count == 0 || only.Contains(row.Key)))
        {
            try
            {
                measure(run);
            }
            catch (Exception e) when (e is BenchException or IOException or RpcException)
            {
                skipped.Add($"{name}: {e.Message}");
                Console.Error.WriteLine($"Not measured: {name}: {e.Message}");
            }
        }

        if (isJson)
        {
            FigureJson.Write(run, skipped);
        }
        else
        {
            Console.WriteLine($"{machine}{(isQuick ? "; a quick run: no figures to rely on" : "")}");
            FigureTable.Write(run.Figures);
            foreach (var sentence in skipped)
            {
                Console.WriteLine($"Not measured: {sentence}");
            }
        }

        var isMissed = skipped.Count > 0 || run.Figures.Any(figure => figure.IsMet == false);
        return run.Figures.Count == 0 || (isStrict && isMissed) ? Missed : Done;
    }
}

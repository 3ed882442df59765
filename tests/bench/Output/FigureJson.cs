using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hypercalls.Bench.Output;

/// <summary>The figures for programs: one document.</summary>
internal static class FigureJson
{
    private static readonly JsonSerializerOptions s_options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(Run run, IReadOnlyList<string> skipped) => Console.WriteLine(JsonSerializer.Serialize(
        new
        {
            cores = Environment.ProcessorCount,
            processor = Machine.Processor,
            quick = run.IsQuick,
            figures = run.Figures.Select(figure => new
            {
                row = figure.Row,
                what = figure.What,
                value = figure.Value,
                unit = figure.Unit.Name,
                limit = figure.Limit is { } limit ? new { value = limit.Value, what = limit.What } : null,
                aim = figure.AtMost is { } most ? new { at_most = most } : null,
                met = figure.IsMet,
            }),
            skipped,
        },
        s_options));
}

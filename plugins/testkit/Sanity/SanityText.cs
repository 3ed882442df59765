using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hypercalls.Testkit.Sanity;

/// <summary>A report as text and as JSON.</summary>
internal static class SanityText
{
    private const int FaultsShown = 3;

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    public static string Of(SanityReport report)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{report.Service} {report.Version}: seed {report.Seed}, {report.Calls} random calls").AppendLine();
        var width = report.Rules.Select(rule => rule.Rule.Length).Append("rule".Length).Max();
        Row("rule", "verdict", "detail");
        Row(new('-', width), "----------", "------");
        foreach (var rule in report.Rules)
        {
            Row(rule.Rule, Word(rule.Verdict), rule.Detail);
        }

        foreach (var faults in report.Faults.GroupBy(fault => fault.Rule))
        {
            foreach (var fault in faults.Take(FaultsShown))
            {
                text.AppendLine().AppendLine(fault.ToString());
            }

            if (faults.Count() - FaultsShown is var more and > 0)
            {
                text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{faults.Key}: {more} more, in the JSON");
            }
        }

        return text.Replace("\r\n", "\n").ToString();

        void Row(string rule, string verdict, string detail) =>
            text.AppendLine($"{rule.PadRight(width)}  {verdict,-10}  {detail}".TrimEnd());
    }

    public static string Json(SanityReport report) => new JsonObject
    {
        ["service"] = report.Service,
        ["version"] = report.Version,
        ["seed"] = report.Seed,
        ["calls"] = report.Calls,
        ["rules"] = new JsonArray([.. report.Rules.Select(rule => (JsonNode)new JsonObject { ["rule"] = rule.Rule, ["verdict"] = Word(rule.Verdict), ["detail"] = rule.Detail })]),
        ["faults"] = new JsonArray([.. report.Faults.Select(fault => (JsonNode)new JsonObject
        {
            ["rule"] = fault.Rule,
            ["sentence"] = fault.Sentence,
            ["history"] = new JsonArray([.. fault.History.Select(line => (JsonNode)JsonValue.Create(line)!)]),
        })]),
    }.ToJsonString(s_indented);

    private static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Passed => "ok",
        Verdict.Failed => "failed",
        _ => "not judged",
    };
}

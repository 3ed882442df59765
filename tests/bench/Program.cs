using System.CommandLine;
using Hypercalls.Bench;
using Hypercalls.Bench.Raw;
using Hypercalls.Bench.Rows;

var rows = new Dictionary<string, Action<Run>>
{
    ["stream"] = ForwardedCalls.Stream,
    ["unary"] = ForwardedCalls.Unary,
    ["allocation"] = Allocation.Measure,
    ["memory"] = IdleMemory.Measure,
};
var only = new Option<string[]>("--only") { Description = $"Measure this alone: {string.Join(", ", rows.Keys)}. Repeatable.", HelpName = "row", AllowMultipleArgumentsPerToken = true };
only.AcceptOnlyFromAmong([.. rows.Keys]);
var quick = new Option<bool>("--quick") { Description = "A second or two for each measurement: to see that it works. Such figures are no basis for anything." };
var json = new Option<bool>("--json") { Description = "The figures as JSON." };
var strict = new Option<bool>("--strict") { Description = "Exit with 1 when an aim is missed or a measurement was not made." };
var root = new RootCommand("Measures forwarded calls and prints each figure beside its limit from the same run, and beside the aim where there is one.") { only, quick, json, strict };
root.SetAction(parsed => Bench.Measure(rows, parsed.GetValue(only) ?? [], parsed.GetValue(quick), parsed.GetValue(json), parsed.GetValue(strict)));

var echo = new Command("echo", "The other end of the raw ping-pong.") { Hidden = true };
var (address, request, reply, kind) = (new Argument<string>("address"), new Argument<int>("request"), new Argument<int>("reply"), new Argument<string>("kind"));
foreach (var argument in (Argument[])[address, request, reply, kind])
{
    echo.Add(argument);
}

echo.SetAction(parsed => EchoServer.Run(
    EchoProcess.AddressOf(parsed.GetRequiredValue(address)), new(parsed.GetValue(request), parsed.GetValue(reply)), parsed.GetValue(kind) == "async"));
root.Add(echo);
return root.Parse(args).Invoke();

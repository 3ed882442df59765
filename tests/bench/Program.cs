using System.CommandLine;
using Hypercalls.Bench;
using Hypercalls.Bench.Raw;
using Hypercalls.Bench.Rows;

var rows = new Dictionary<string, Action<Run>>
{
    ["stream"] = ForwardedCalls.Stream,
    ["unary"] = ForwardedCalls.Unary,
    ["allocation"] = Allocation.Measure,
    ["dispatch"] = Dispatching.Measure,
    ["guest"] = GuestView.Measure,
    ["kvm"] = KvmCalls.Measure,
    ["sdei"] = Events.Measure,
    ["memory"] = IdleMemory.Measure,
    ["flood"] = Flood.Measure,
    ["tcp"] = Remote.Measure,
};
var only = new Option<string[]>("--only") { Description = $"Measure this alone: {string.Join(", ", rows.Keys)}. Repeatable.", HelpName = "row", AllowMultipleArgumentsPerToken = true };
only.AcceptOnlyFromAmong([.. rows.Keys]);
var seconds = new Option<double>("--seconds") { Description = "Of each measurement, after its warm-up.", HelpName = "n", DefaultValueFactory = _ => 4 };
seconds.Validators.Add(result =>
{
    if (result.GetValueOrDefault<double>() is not (>= 0.1 and <= 600))
    {
        result.AddError("--seconds: give 0.1 to 600.");
    }
});
var quick = new Option<bool>("--quick") { Description = "A second or two for each measurement: to see that it works. Such figures are no basis for anything." };
var json = new Option<bool>("--json") { Description = "The figures as JSON." };
var strict = new Option<bool>("--strict") { Description = "Exit with 1 when an aim is missed or a measurement was not made." };
var root = new RootCommand("Measures forwarded calls and prints each figure beside its limit from the same run, and beside the aim where there is one.") { only, seconds, quick, json, strict };
root.SetAction(parsed => Bench.Measure(rows, parsed.GetValue(only) ?? [], parsed.GetValue(quick), parsed.GetValue(seconds), parsed.GetValue(json), parsed.GetValue(strict)));


// What it runs itself as, each until its input ends.
var echo = new Command("echo") { Hidden = true };
var (address, request, reply, kind) = (new Argument<string>("address"), new Argument<int>("request"), new Argument<int>("reply"), new Argument<string>("kind"));
echo.Add(address);
echo.Add(request);
echo.Add(reply);
echo.Add(kind);
echo.SetAction(parsed => EchoServer.Run(
    EchoProcess.AddressOf(parsed.GetRequiredValue(address)), new(parsed.GetValue(request), parsed.GetValue(reply)), parsed.GetValue(kind) == "async"));
var flood = new Command("flood") { Hidden = true };
flood.Add(kind);
flood.Add(address);
flood.SetAction(parsed => Flood.Run(parsed.GetRequiredValue(kind), parsed.GetRequiredValue(address)));
root.Add(echo);
root.Add(flood);
return root.Parse(args).Invoke();

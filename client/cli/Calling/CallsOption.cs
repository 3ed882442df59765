using System.CommandLine;

namespace Hypercalls.Cli.Calling;

/// <summary>--calls and --json: a guest that boots nothing and makes these calls.</summary>
internal sealed class CallsOption
{
    private readonly Option<string?> _calls = new("--calls")
    {
        Description = "Make these calls from a bare guest and show what they return: \"PSCI_VERSION; hvc#1 0xC2000001 1 -2 'text' [64]\". @file or - reads them. [64] is a buffer of that many bytes, '…' a text in memory, # begins a remark.",
        HelpName = "calls",
    };

    private readonly Option<bool> _json = new("--json") { Description = "With --calls: what they return as JSON." };
    private readonly Option _kernel;

    private CallsOption(Option kernel) => _kernel = kernel;

    /// <summary>Adds both to a command that otherwise boots that kernel.</summary>
    /// <param name="command">The command.</param>
    /// <param name="kernel">Excluded by calls.</param>
    /// <param name="service">Without a kernel: for calls.</param>
    /// <param name="ofKernels">What has no meaning without a kernel.</param>
    public static CallsOption AddTo(Command command, Option kernel, Option service, IReadOnlyList<Option> ofKernels)
    {
        var calls = new CallsOption(kernel);
        command.Add(calls._calls);
        command.Add(calls._json);
        command.Validators.Add(result =>
        {
            var hasCalls = result.GetResult(calls._calls) is not null;
            if (hasCalls && result.GetResult(kernel) is not null)
            {
                result.AddError("--calls: they are made by a bare guest of this tool; leave --kernel away.");
            }
            else if (result.GetResult(kernel) is null && (hasCalls || result.GetResult(service) is not null))
            {
                foreach (var option in ofKernels.Where(option => result.GetResult(option) is { Implicit: false }))
                {
                    result.AddError($"{option.Name}: this is for --kernel.");
                }
            }

            if (result.GetResult(calls._json) is { Implicit: false } && !hasCalls)
            {
                result.AddError("--json: this is for --calls.");
            }
        });
        return calls;
    }

    public Option Option => _calls;

    /// <summary>Whether the run is one of calls, given or to be given, rather than of a kernel.</summary>
    public bool IsFor(ParseResult parsed) => parsed.GetResult(_kernel) is null && parsed.GetResult("--attach") is null;

    public bool AsJson(ParseResult parsed) => parsed.GetValue(_json);

    /// <summary>The calls; null where none are given.</summary>
    /// <exception cref="CliException">They cannot be read, or one is wrong.</exception>
    public IReadOnlyList<ScriptedCall>? Script(ParseResult parsed) => parsed.GetValue(_calls) is { } calls ? CallScript.Parse(CallScript.Read(calls)) : null;
}

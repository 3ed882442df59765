using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Running;

/// <summary>--fallback and --retries: what becomes of calls that get no answer in time.</summary>
internal sealed class FallbackOptions
{
    private const int MostRetries = 1000;

    private readonly Option<string[]> _fallback = new("--fallback")
    {
        Description = "What a call gets that is not answered in time: not-supported (the default), wait, or stop (the machine). For some functions alone: CPU_ON=wait, 0xC4000003=stop, 0x84000000-0x8400001F=wait. May be repeated; the first that fits holds.",
        HelpName = "[functions=]policy",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<int> _retries = new("--retries")
    {
        Description = "How often a call that does not return, such as CPU_OFF, is sent again before the machine stops; with --fallback wait it waits.",
        HelpName = "n",
        DefaultValueFactory = _ => new HostRules().NoReturnRetries,
    };

    private FallbackOptions()
    {
    }

    public static FallbackOptions AddTo(Command command)
    {
        var options = new FallbackOptions();
        options._retries.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > MostRetries)
            {
                result.AddError($"--retries: 0 to {MostRetries}.");
            }
        });
        command.Add(options._fallback);
        command.Add(options._retries);
        return options;
    }

    /// <summary>What another process was given, where the command line gives nothing.</summary>
    public (IReadOnlyList<string> Fallbacks, int? Retries) Remembered { get; set; } = ([], null);

    public IReadOnlyList<string> Given(ParseResult parsed) => parsed.GetValue(_fallback) is { Length: > 0 } given ? given : Remembered.Fallbacks;

    public int GivenRetries(ParseResult parsed) =>
        parsed.GetResult(_retries) is { Implicit: false } || Remembered.Retries is not { } retries ? parsed.GetValue(_retries) : retries;

    /// <summary>The rules of a host; names of functions are the daemon's to know.</summary>
    /// <exception cref="CliException">One is no policy, or names a function that no service has.</exception>
    public async Task<HostRules> RulesAsync(ParseResult parsed, CallInvoker daemon, CancellationToken cancelled)
    {
        var rules = new HostRules { NoReturnRetries = GivenRetries(parsed) };
        List<FallbackRule> functions = [];
        foreach (var text in Given(parsed))
        {
            if (text.LastIndexOf('=') is var equals and > 0)
            {
                var policy = Policy(text, text[(equals + 1)..]);
                functions.AddRange((await RangesAsync(text[..equals], daemon, cancelled)).Select(range => new FallbackRule(range.First, range.Last, policy)));
            }
            else
            {
                rules = rules with { Fallback = Policy(text, text) };
            }
        }

        return rules with { Functions = functions };
    }

    private static FallbackPolicy Policy(string argument, string text) => text switch
    {
        "not-supported" => FallbackPolicy.NotSupported,
        "wait" => FallbackPolicy.Wait,
        "stop" => FallbackPolicy.Stop,
        _ => throw new CliException($"--fallback {argument}: {text} is none of not-supported, wait, stop.", ExitCode.BadInput),
    };

    private static async Task<IReadOnlyList<(uint First, uint Last)>> RangesAsync(string functions, CallInvoker daemon, CancellationToken cancelled)
    {
        const string What = "a function ID";
        var ends = functions.Split('-', 2);
        if (FunctionArgument.TryNumber(ends[0], 32, What, out var first))
        {
            var last = ends.Length == 1 ? first : FunctionArgument.Number(ends[1], 32, What);
            return first <= last
                ? [((uint)first, (uint)last)]
                : throw new CliException($"--fallback {functions}: the range ends before it begins.", ExitCode.BadInput);
        }

        var services = await new Operator.OperatorClient(daemon).ListServicesAsync(new(), cancellationToken: cancelled);
        IReadOnlyList<(uint, uint)> ids = [.. services.Services
            .SelectMany(service => service.Functions)
            .Where(function => function.Name.Equals(functions, StringComparison.OrdinalIgnoreCase))
            .SelectMany(function => function.Ids)
            .Select(id => (id, id))];
        return ids.Count > 0
            ? ids
            : throw new CliException(string.Create(CultureInfo.InvariantCulture, $"--fallback {functions}: no service has a function of that name. `hypercalls services` lists them."), ExitCode.BadInput);
    }
}

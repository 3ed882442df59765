using System.CommandLine;
using Hypercalls.Cli.Building;
using Hypercalls.Cli.Commands;
using Hypercalls.Cli.Running;
using Hypercalls.Hosts.Caller;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Calling;

/// <summary>run --calls: services are built, a daemon starts, a bare guest makes the calls.</summary>
internal sealed class CallerRun : IDisposable
{
    private readonly RunOptions _options;
    private readonly ParseResult _parsed;
    private readonly IReadOnlyList<ScriptedCall> _script;
    private readonly SharedTerminal _terminal;
    private readonly CallerGuest _guest;
    private readonly List<CallerResult> _results = [];
    private IReadOnlyList<NamedCall> _calls = [];

    private CallerRun(RunOptions options, ParseResult parsed, IReadOnlyList<ScriptedCall> script, SharedTerminal terminal)
    {
        (_options, _parsed, _script, _terminal) = (options, parsed, script, terminal);
        _guest = new(Returned);
    }

    /// <summary>Makes the calls; without any, says which there are.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(RunOptions options, ParseResult parsed, CancellationToken cancelled)
    {
        using var terminal = options.Calls.AsJson(parsed) ? SharedTerminal.OnErrors() : new SharedTerminal();
        var services = options.Services.Find(parsed);
        options.Machine.Accel.CheckComputer(parsed);
        var kept = new KeptRun(options.Name(parsed) ?? RunDaemon.OwnName(options.Machine.Accel.Kind(parsed)))
        {
            Settings = services.SettingsArguments(options.Settings.Arguments(parsed)),
            AllowShadowed = options.AllowsShadowed(parsed),
        };
        if (options.Calls.Script(parsed) is not { } script)
        {
            using var built = await services.BuildAsync(options.Plugins(parsed), cancelled);
            await using var daemon = await OpenAsync(built);
            await FunctionList.ShowAsync(daemon.Invoker, built!, options.Services.Given(parsed), cancelled);
            return ExitCode.BadInput;
        }

        using var run = new CallerRun(options, parsed, script, terminal);
        run.Check();
        // QEMU comes up while compiler and daemon are at work.
        await using var starting = new StartingMachine(() => run._guest.Start(options.Machine.WithoutKernel(parsed, kept, terminal), machine => options.Machine.Accel.Start(parsed, machine)));
        using var links = await services.BuildAsync(options.Plugins(parsed), cancelled);
        int exitCode;
        await using (var daemon = await OpenAsync(links))
        {
            exitCode = await run.RunAsync(daemon, kept, starting, cancelled);
        }

        // Behind the last report of the daemon.
        return run.Finish(exitCode, cancelled.IsCancellationRequested);

        Task<RunDaemon> OpenAsync(PluginLinks? links) =>
            RunDaemon.OpenAsync(options.Daemon, parsed, kept with { Plugins = links?.Folder ?? options.Plugins(parsed) }, links, terminal.WriteLine, cancelled);
    }

    public void Dispose() => _guest.Dispose();

    private void Check()
    {
        if (_options.Machine.ClientEl(_parsed) == 2 && _script.FirstOrDefault(call => call.Conduit == Conduit.Hvc) is { } call)
        {
            throw call.Fault("a guest at EL2 calls by SMC: its HVC goes to itself.");
        }
    }

    private async Task<int> RunAsync(RunDaemon daemon, KeptRun kept, StartingMachine starting, CancellationToken cancelled)
    {
        var name = _options.Name(_parsed) ?? daemon.NameFor(_options.Machine.Accel.Kind(_parsed));
        _calls = await NamedCall.ResolveAsync(_script, _options.Machine.Conduit(_parsed), daemon.Invoker, cancelled);
        _guest.Give([.. _calls.Select(call => call.Call)]);
        var rules = await daemon.RulesAsync(_options.Fallbacks, _parsed, _terminal.WriteLine, cancelled);
        var traces = _options.Traces(_parsed);
        using var guest = new GuestRun(daemon.Invoker, starting.Take, name, _terminal, traces, traces, kept.AllowShadowed, rules) { TakesKeyboard = false };
        return await guest.RunAsync(cancelled);
    }

    private void Returned(CallerResult result)
    {
        _results.Add(result);
        if (!_options.Calls.AsJson(_parsed))
        {
            foreach (var line in ResultText.Lines(_calls[result.Number], result))
            {
                _terminal.WriteLine(line);
            }
        }
    }

    /// <summary>Says what became of the call that did not return, and of those behind it.</summary>
    private int Finish(int exitCode, bool isCancelled)
    {
        var never = _guest.End is CallerEnd.Done ? null
            : _guest.End switch
            {
                CallerEnd.CoreOff => "its core is off",
                CallerEnd.CoreSuspended => "its core is suspended, and nothing wakes it",
                CallerEnd.Reset => "the machine was reset",
                CallerEnd.Faulted fault => $"the guest took an exception (ESR 0x{fault.Esr:x}, ELR 0x{fault.Elr:x}, FAR 0x{fault.Far:x})",
                _ when isCancelled => "the run was ended",
                _ => exitCode == ExitCode.Done ? "the machine is off" : "the machine has failed",
            };
        var made = Math.Min(_results.Count + (never is null ? 0 : 1), _calls.Count);
        if (_options.Calls.AsJson(_parsed))
        {
            Console.Out.WriteLine(ResultJson.Of(_calls, _results, never));
        }
        else if (never is not null && made > _results.Count)
        {
            _terminal.WriteLine($"{_calls[made - 1]}  does not return: {never}");
        }

        _terminal.ShowAll();
        if (_calls.Count > made)
        {
            Console.Error.WriteLine($"Not made any more: {string.Join("; ", _calls.Skip(made))}.");
        }

        return _calls.Count > made || isCancelled || _guest.End is CallerEnd.Faulted ? ExitCode.Failed : exitCode;
    }
}

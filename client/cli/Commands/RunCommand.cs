using System.CommandLine;
using Hypercalls.Cli.Calling;
using Hypercalls.Cli.Output;
using Hypercalls.Cli.Running;
using Hypercalls.Hosts;
using Hypercalls.Qemu;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls run: a guest whose calls the daemon answers.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var command = new Command("run", "Boot a guest, in QEMU or on KVM, or have calls made by one that boots nothing. Every SMC and HVC of it is answered by the daemon; a private one is started where none runs. Ctrl-A x quits.");
        var options = RunOptions.AddTo(command);
        command.SetAction((parsed, cancelled) => options.Calls.IsFor(parsed) ? CallerRun.RunAsync(options, parsed, cancelled) : BootAsync(options, parsed, cancelled));
        return command;
    }

    /// <summary>Boots a kernel, or goes on with a run that did.</summary>
    private static async Task<int> BootAsync(RunOptions options, ParseResult parsed, CancellationToken cancelled)
    {
        using var terminal = new SharedTerminal();
        using var run = options.Attach.IsGiven(parsed) ? options.Attach.Open(parsed) : null;
        options.Machine.Accel.CheckComputer(parsed);
        var before = run is null ? null : KeptRun.Of(run);
        options.Daemon.Remembered = (before?.Daemon, before?.Tls);
        options.Fallbacks.Remembered = (before?.Fallbacks ?? [], before?.Retries);
        var services = options.Services.Find(parsed);
        var settings = services.SettingsArguments(options.Settings.Arguments(parsed));
        using var links = await services.BuildAsync(options.Plugins(parsed), cancelled);
        var kept = new KeptRun(before?.Name ?? "")
        {
            Plugins = links?.Folder ?? options.Plugins(parsed) ?? before?.Plugins,
            Settings = settings.Count > 0 ? settings : before?.Settings ?? [],
            Fallbacks = options.Fallbacks.Given(parsed),
            Retries = options.Fallbacks.GivenRetries(parsed),
            AllowShadowed = before?.AllowShadowed ?? options.AllowsShadowed(parsed),
        };
        await using var daemon = await RunDaemon.OpenAsync(options.Daemon, parsed, kept, links, terminal.WriteLine, cancelled);
        if (daemon.Own is { } own)
        {
            terminal.WriteLine($"{(links is null ? "No daemon listens: a private one" : "A private daemon")} runs for this guest (process {own.ProcessId}, {own.Address}).");
        }

        kept = kept with { Name = before?.Name ?? options.Name(parsed) ?? daemon.NameFor(options.Machine.Accel.Kind(parsed)), Daemon = daemon.Named.Daemon, Tls = daemon.Named.Tls };
        IGuestMachine Start() => run is not null ? QemuMachine.TakeOver(run, terminal, terminal.WriteLine) : options.Machine.Accel.Start(parsed, options.Machine.WithKernel(parsed, kept, terminal));
        var rules = await daemon.RulesAsync(options.Fallbacks, parsed, terminal.WriteLine, cancelled);
        using var guest = new GuestRun(daemon.Invoker, Start, kept.Name, terminal, options.Traces(parsed) || options.ShowsTable(parsed), options.Traces(parsed), kept.AllowShadowed, rules);
        var exitCode = await guest.RunAsync(cancelled);
        if (options.ShowsTable(parsed))
        {
            terminal.ShowAll();
            Terminal.Out.Write(guest.Table());
        }

        return exitCode;
    }
}

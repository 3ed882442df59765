using System.CommandLine;
using Grpc.Core;
using Hypercalls.Cli.Building;
using Hypercalls.Cli.Output;
using Hypercalls.Client;
using Hypercalls.Grpc;
using Hypercalls.Protos.Tls;

namespace Hypercalls.Cli.Running;

/// <summary>The daemon that serves a run: one that listens, or a private one.</summary>
internal sealed class RunDaemon : IAsyncDisposable
{
    private readonly HttpChannel _channel;
    private readonly Party? _party;

    private RunDaemon(HttpChannel channel, PrivateDaemon? own, Party? party, (string? Daemon, string? Tls) named) =>
        (_channel, Own, _party, Named, Invoker) = (channel, own, party, named, channel.CreateCallInvoker());

    /// <summary>The private one; null where one listens.</summary>
    public PrivateDaemon? Own { get; }

    /// <summary>As the command line or the environment names it, for another process.</summary>
    public (string? Daemon, string? Tls) Named { get; }

    public CallInvoker Invoker { get; }

    /// <summary>A machine's name that no other run has, and that the certificate is good for where there is one.</summary>
    public string NameFor(string kind)
    {
        var own = OwnName(kind);
        return _party is null ? own : $"{_party.Name}{Party.Separator}{own}";
    }

    /// <summary>A machine's name that no other run has.</summary>
    public static string OwnName(string kind) => $"{kind}-{Environment.ProcessId}";

    /// <summary>The one that is named or listens, unless the run has plugins of its own; else a private one.</summary>
    /// <exception cref="CliException">It does not answer, or a private one does not start.</exception>
    public static async Task<RunDaemon> OpenAsync(DaemonAddress daemon, ParseResult parsed, KeptRun kept, PluginLinks? links, Action<string> report, CancellationToken cancelled)
    {
        if (links is not null || kept.Plugins is not null || !(daemon.IsNamed(parsed) || DaemonAddress.IsAnswering(daemon.Of(parsed))))
        {
            var own = await PrivateAsync(kept, links, report, cancelled);
            return new(HttpChannel.ForAddress(own.Address), own, null, default);
        }

        if (kept.Settings is [var option, var value, ..])
        {
            throw new CliException($"{option} {value} is for the private daemon that run starts where none listens; this run uses the one at {daemon.Of(parsed)}. Start that one with it: `hypercalls daemon {option} {value}`.", ExitCode.BadInput);
        }

        var channel = daemon.Connect(parsed, out var party);
        return new(channel, null, party, daemon.ToRemember(parsed));
    }

    /// <summary>What becomes of calls that get no answer.</summary>
    public async Task<HostRules> RulesAsync(FallbackOptions fallbacks, ParseResult parsed, Action<string> log, CancellationToken cancelled) =>
        await fallbacks.RulesAsync(parsed, Invoker, cancelled) with
        {
            // A private daemon that is gone does not come back.
            Reconnects = Own is null,
            Log = text => log(Printable.Line(text)),
        };

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        if (Own is not null)
        {
            await Own.DisposeAsync();
        }
    }

    private static async Task<PrivateDaemon> PrivateAsync(KeptRun kept, PluginLinks? links, Action<string> report, CancellationToken cancelled)
    {
        try
        {
            return await PrivateDaemon.StartAsync(kept.Plugins, kept.Settings, report, cancelled);
        }
        catch (CliException e) when (links is not null)
        {
            throw new CliException(links.WithoutLinks(e.Message), e.ExitCode);
        }
    }
}

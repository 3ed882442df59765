using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>What a host promises its guest for the time when nobody answers.</summary>
public sealed record HostRules
{
    /// <summary>For hypercalls that nothing more particular is said of.</summary>
    public FallbackPolicy Fallback { get; init; } = FallbackPolicy.NotSupported;

    /// <summary>For some functions; the first rule that covers a call holds, before <see cref="Fallback"/> and before what is done with calls that do not return.</summary>
    public IReadOnlyList<FallbackRule> Functions { get; init; } = [];

    /// <summary>How often a call that does not return (CPU_OFF, SYSTEM_OFF) is sent again, before the machine stops: after its deadline, or a second after a daemon has said that it cannot serve it. 0 and above. Where <see cref="Fallback"/> is to wait, it waits.</summary>
    public int NoReturnRetries { get; init; } = 10;

    /// <summary>Whether a lost connection is made again. Without it the session ends with the connection.</summary>
    public bool Reconnects { get; init; } = true;

    /// <summary>How long daemons may refuse a machine that was attached before the session ends: a daemon may not have noticed yet that this host was cut off, or be about to get its certificates. A minute by default.</summary>
    public TimeSpan RefusalPatience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Receives sentences for a person: the connection is lost, the machine is attached again. Called from threads of the library.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Receives the machine's token whenever a daemon gives one, before any exit goes there: kept where the vCPUs live, another host process can go on with it.</summary>
    public Action<ReadOnlyMemory<byte>>? Token { get; init; }

    /// <summary>What is done with a call, where a rule says it.</summary>
    internal FallbackPolicy? Of(HypercallExit call)
    {
        foreach (var rule in Functions)
        {
            if (rule.Covers(call.Conduit, call.Imm, (uint)call.X0))
            {
                return rule.Policy;
            }
        }

        return null;
    }
}

using Hypercalls.Sdk;

namespace Hypercalls.Tests.Trials;

/// <summary>Per core: attention asked for, the guest's handler, and what it interrupted.</summary>
public sealed record TrialsState
{
    public ValueArray<TrialsCore> Cores { get; init; }

    /// <summary>Resets, which are all that outlives one.</summary>
    public ulong Resets { get; init; }

    /// <summary>Events that were raised and that no core is asked for.</summary>
    public ulong Kept { get; init; }

    /// <summary>The step in which the machine's name lets this service hang.</summary>
    public string Hangs { get; init; } = "";

    /// <summary>Interrupts that this service has taken.</summary>
    public ValueArray<uint> Taken { get; init; }

    public int IndexOf(Mpidr core)
    {
        for (var i = 0; i < Cores.Count; i++)
        {
            if (Cores[i].Core == core)
            {
                return i;
            }
        }

        return -1;
    }
}

public sealed record TrialsCore(Mpidr Core)
{
    public ulong Pending { get; init; }

    public ulong Handler { get; init; }

    public RegisterFile? Interrupted { get; init; }

    /// <summary>The taken interrupts that have fired here and wait for the handler.</summary>
    public ValueArray<uint> Fired { get; init; }

    /// <summary>The one that the handler runs for; it ends with it.</summary>
    public uint? Serving { get; init; }

    /// <summary>How often this core has woken, and how often of these without the context that it had.</summary>
    public ulong Woken { get; init; }

    public ulong WokenAnew { get; init; }

    /// <summary>Calls of COUNT whose answer the guest has seen.</summary>
    public ulong Count { get; init; }
}

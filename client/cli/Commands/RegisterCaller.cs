using System.Globalization;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>How calls are made whose ranges are listed.</summary>
/// <param name="Conduit">SMC or HVC.</param>
/// <param name="State">The caller's execution state.</param>
/// <param name="Immediate">Of the instruction.</param>
/// <param name="StandsForOthers">The immediate stands for every one but 0 that has no list of its own.</param>
internal sealed record RegisterCaller(Conduit Conduit, ExecutionState State, ushort Immediate, bool StandsForOthers)
{
    /// <summary>As --imm takes it, or "other".</summary>
    public string ImmediateText => StandsForOthers ? "other" : Immediate == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"0x{Immediate:X}");

    /// <summary>SMC from AArch64, immediate 0.</summary>
    public override string ToString() =>
        $"{(Conduit == Conduit.Smc ? "SMC" : "HVC")} from {(State == ExecutionState.Aarch64 ? "AArch64" : "AArch32")}, {(StandsForOthers ? "any other immediate" : $"immediate {ImmediateText}")}";

    /// <summary>Every way to call: each immediate that a service claims has its own, and one stands for the rest.</summary>
    public static IReadOnlyList<RegisterCaller> All(IEnumerable<ImmediateClaim> claims)
    {
        var claimed = claims.ToLookup(claim => claim.Conduit, claim => (ushort)claim.Imm);
        return
        [
            .. from conduit in (Conduit[])[Conduit.Smc, Conduit.Hvc]
               from state in (ExecutionState[])[ExecutionState.Aarch64, ExecutionState.Aarch32]
               from caller in Of(conduit, state, [.. claimed[conduit].Order()])
               select caller,
        ];
    }

    private static IEnumerable<RegisterCaller> Of(Conduit conduit, ExecutionState state, ushort[] claimed)
    {
        yield return new(conduit, state, 0, StandsForOthers: false);
        foreach (var immediate in claimed)
        {
            yield return new(conduit, state, immediate, StandsForOthers: false);
        }

        if (Enumerable.Range(1, ushort.MaxValue).FirstOrDefault(immediate => Array.IndexOf(claimed, (ushort)immediate) < 0) is var other and > 0)
        {
            yield return new(conduit, state, (ushort)other, StandsForOthers: true);
        }
    }
}

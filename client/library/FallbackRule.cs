using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>The policy of some functions, where it is not the machine's.</summary>
/// <param name="First">The first function ID, as in w0.</param>
/// <param name="Last">The last one.</param>
/// <param name="Policy">What becomes of their calls without an answer.</param>
/// <param name="Conduit">SMC or HVC alone; null for both.</param>
public sealed record FallbackRule(uint First, uint Last, FallbackPolicy Policy, Conduit? Conduit = null)
{
    /// <summary>Whether this rule is for such a call. Calls with an immediate other than 0 carry no function ID: none is.</summary>
    /// <param name="conduit">SMC or HVC.</param>
    /// <param name="imm">Of the instruction; 0 where unknown.</param>
    /// <param name="w0">As the guest gave it.</param>
    public bool Covers(Conduit conduit, uint imm, uint w0)
    {
        const uint FastCall = 1u << 31;
        const uint SveHint = 1u << 16;
        // The hint of a fast call is no part of its identity (DEN0028, Function identifiers).
        var id = (w0 & FastCall) != 0 ? w0 & ~SveHint : w0;
        return imm == 0 && id >= First && id <= Last && (Conduit is null || Conduit == conduit);
    }
}

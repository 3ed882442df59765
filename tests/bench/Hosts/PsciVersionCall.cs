using Hypercalls.Bench.Raw;
using Hypercalls.Protos;

namespace Hypercalls.Bench.Hosts;

/// <summary>The call that is measured: PSCI_VERSION, as a host sends it, and its answer (DEN0022, PSCI_VERSION).</summary>
internal static class PsciVersionCall
{
    public const uint Id = 0x8400_0000;
    public const ulong Boot = 1;

    // Version 1.3, what the daemon's PSCI answers unless it is set otherwise.
    public const ulong Version = 0x1_0003;

    private const int FramePrefix = 5;

    /// <summary>The messages of one exit, framed as gRPC frames them.</summary>
    public static MessageSizes Sizes { get; } = new(
        new VcpuMessage { Exit = Exit(10_000) }.CalculateSize() + FramePrefix,
        new DaemonToVcpu { Answer = Answer(10_000) }.CalculateSize() + FramePrefix);

    /// <summary>An exit as a host makes it: a new one each time, with the outcome of the one before.</summary>
    public static Exit Exit(ulong exitId) => new()
    {
        ExitId = exitId,
        Boot = Boot,
        Previous = exitId == 1 ? null : new() { ExitId = exitId - 1, Outcome = Outcome.Applied, LastApplied = exitId - 1 },
        Hypercall = new() { Conduit = Conduit.Smc, Imm = 0, X0 = Id, Pstate = 0x3C5, Esr = 0x5E00_0000, Pc = 0x4008_0000 },
    };

    public static Answer Answer(ulong exitId) => new() { ExitId = exitId, Boot = Boot, Incarnation = 1_700_000_000_000, Commit = 100, Values = new() { X0 = Version } };

    /// <exception cref="BenchException">It is another call.</exception>
    public static void CheckId(ulong x0) => Check(x0, Id);

    /// <exception cref="BenchException">It is not the answer.</exception>
    public static void Check(ulong x0) => Check(x0, Version);

    private static void Check(ulong x0, ulong expected)
    {
        if (x0 != expected)
        {
            throw new BenchException($"x0 is 0x{x0:x}, not 0x{expected:x}.");
        }
    }
}

namespace Hypercalls.Hosts.Vcpus;

/// <summary>What a core starts with (DEN0022, CPU_ON). Commit is that of the effect that starts it, 0 for the boot core.</summary>
internal sealed record CoreStart(ulong EntryPoint, ulong ContextId, Endianness Endianness, ulong Commit)
{
    /// <summary>Of the daemon whose effect it is: commits are counted from its beginning.</summary>
    public ulong Incarnation { get; init; }

    /// <summary>Of the boot core of an AArch32 guest (Linux, Booting ARM Linux).</summary>
    public ulong R1 { get; init; }

    public ulong R2 { get; init; }
}

/// <summary>Whose accesses are big-endian: a started core has its caller's.</summary>
/// <param name="Exceptions">SCTLR_ELx.EE.</param>
/// <param name="Data">CPSR.E; AArch64 has none.</param>
internal readonly record struct Endianness(bool Exceptions, bool Data);

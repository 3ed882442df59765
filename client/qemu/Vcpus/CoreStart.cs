namespace Hypercalls.Qemu.Vcpus;

/// <summary>What a core starts with (DEN0022, CPU_ON). Commit is that of the effect that starts it, 0 for the boot core.</summary>
internal sealed record CoreStart(ulong EntryPoint, ulong ContextId, bool BigEndian, ulong Commit);

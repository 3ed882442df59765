using Hypercalls.Protos;

namespace Hypercalls.Hosts;

/// <summary>The machine as it is before its guest runs: all that a Hello says of it.</summary>
/// <param name="Boot">The guest's life between resets, counted from 1.</param>
/// <param name="Cores">The MPIDRs of all cores; the first is the boot core and on, the others are off.</param>
/// <param name="RamBase">First address of RAM.</param>
/// <param name="RamSize">Bytes of RAM that are the guest's; the mailboxes above are not.</param>
/// <param name="ClientEl">The guest's exception level.</param>
/// <param name="ExecutionState">The guest's, at its first instruction.</param>
/// <param name="Conduits">Those that reach the daemon.</param>
/// <param name="Interrupts">Those that services can take from the guest.</param>
/// <param name="IdRegisters">Of the boot core, by their architectural names.</param>
/// <param name="Kernel">What the kernel between guest and host keeps.</param>
/// <param name="Host">For people: "qemu-system-aarch64 7.2.22".</param>
public sealed record MachineBoot(
    ulong Boot,
    IReadOnlyList<ulong> Cores,
    ulong RamBase,
    ulong RamSize,
    uint ClientEl,
    ExecutionState ExecutionState,
    IReadOnlyList<Conduit> Conduits,
    IReadOnlyList<InterruptRange> Interrupts,
    IReadOnlyList<KeyValuePair<string, ulong>> IdRegisters,
    Ready Kernel,
    string Host);

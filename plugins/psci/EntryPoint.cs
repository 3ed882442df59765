using Hypercalls.Sdk;

namespace Hypercalls.Psci;

/// <summary>Where a core may start (DEN0022, entry_point_address; INVALID_ADDRESS).</summary>
internal static class EntryPoint
{
    private const ulong Thumb = 1;

    /// <summary>Whether instructions of the caller's execution state can be fetched there.</summary>
    public static bool IsValid(ulong entryPoint, bool isAArch32, MachineDescription machine) =>
        isAArch32 && (entryPoint & Thumb) != 0
            ? IsRam(entryPoint & ~Thumb, machine)
            : entryPoint % 4 == 0 && IsRam(entryPoint, machine);

    // Only an address that is known to be bad is refused: a host that lists no RAM knows none.
    private static bool IsRam(ulong address, MachineDescription machine) => machine.Ram.Count == 0 || machine.RamAt(address) is not null;
}

using Hypercalls.Sdk;

namespace Hypercalls.Psci;

/// <summary>What a platform chooses (DEN0022, Functions; power_state parameter). The defaults are those of a plain virtual machine.</summary>
public sealed record PsciSettings
{
    private static readonly Version s_extendedFormat = new(1, 0);

    /// <summary>The versions there are (DEN0022, Changes; PSCI_VERSION).</summary>
    public static ValueArray<Version> Versions { get; } = [new(0, 2), new(1, 0), new(1, 1), new(1, 2), new(1, 3)];

    /// <summary>What PSCI_VERSION says and what is served, exactly.</summary>
    public Version Version { get; init; } = new(1, 3);

    /// <summary>The format of power_state.</summary>
    public StateIdFormat StateIdFormat { get; init; } = StateIdFormat.Original;

    /// <summary>What CPU_SUSPEND may be asked for; every other power_state is INVALID_PARAMETERS.</summary>
    public ValueArray<SuspendState> SuspendStates { get; init; } =
    [
        new() { Name = "cpu-standby", Levels = [LocalState.Standby] },
        new() { Name = "cpu-sleep", Levels = [LocalState.PowerDown] },
    ];

    /// <summary>Cores that CPU_ON may not start.</summary>
    public ValueArray<Mpidr> DeniedCores { get; init; }

    /// <summary>Vendor-specific types of SYSTEM_RESET2.</summary>
    public ValueArray<VendorReset> VendorResets { get; init; }

    internal string? Fault()
    {
        if (!Versions.Contains(Version))
        {
            return $"Version {Version} of PSCI is not known: give one of {string.Join(", ", Versions)}.";
        }

        if (!Enum.IsDefined(StateIdFormat))
        {
            return $"StateIdFormat {StateIdFormat} is not known: give original or extended.";
        }

        if (StateIdFormat == StateIdFormat.Extended && Version < s_extendedFormat)
        {
            return $"The extended StateID format came with PSCI {s_extendedFormat}: version {Version} has the original one alone.";
        }

        if (SuspendStates.Select(state => state.Fault(StateIdFormat)).FirstOrDefault(fault => fault is not null) is { } faulty)
        {
            return faulty;
        }

        if (Twice(SuspendStates, state => state.Parameter(StateIdFormat)) is { } parameter)
        {
            return $"Two suspend states have the power_state 0x{parameter:X}: give one of them another stateId.";
        }

        if (Twice(SuspendStates, state => state.Name) is { } name)
        {
            return $"Two suspend states are named {name}.";
        }

        if (VendorResets.FirstOrDefault(reset => !Enum.IsDefined(reset.Action)) is { } odd)
        {
            return $"The action of vendor reset type 0x{odd.Type:X} is not known: give reset or shutdown.";
        }

        return VendorResets.Select(reset => reset.Type).FirstOrDefault(type => type < VendorReset.FirstType, VendorReset.FirstType) is var low and < VendorReset.FirstType
            ? $"Vendor reset type 0x{low:X} is below 0x{VendorReset.FirstType:X}, where the vendor's types begin."
            : Twice(VendorResets, reset => reset.Type) is { } type ? $"Vendor reset type 0x{type:X} stands twice." : null;
    }

    private static object? Twice<T, TKey>(ValueArray<T> items, Func<T, TKey> key) =>
        items.GroupBy(key).Where(group => group.Count() > 1).Select(group => (object?)group.Key).FirstOrDefault();
}

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

    /// <summary>The member that contradicts the specification, and how; null where none does.</summary>
    internal (string Member, string Sentence)? Fault =>
        !Versions.Contains(Version) ? ("version", $"the versions of PSCI are {string.Join(", ", Versions)}")
        : !Enum.IsDefined(StateIdFormat) ? ("stateIdFormat", "the formats are original and extended")
        : StateIdFormat == StateIdFormat.Extended && Version < s_extendedFormat
            ? ("stateIdFormat", $"the extended StateID format came with PSCI {s_extendedFormat}, and version is {Version}")
        : FaultOf(SuspendStates) is { } suspend ? ("suspendStates", suspend)
        : FaultOf(VendorResets) is { } reset ? ("vendorResets", reset)
        : null;

    private string? FaultOf(ValueArray<SuspendState> states) =>
        states.Select(state => state.Fault(StateIdFormat)).FirstOrDefault(fault => fault is not null)
        ?? (Twice(states, state => state.Parameter(StateIdFormat)) is { } parameter ? $"two states have the power_state 0x{parameter:X}; give one of them another stateId"
            : Twice(states, state => state.Name) is { } name ? $"two states are named {name}"
            : null);

    private static string? FaultOf(ValueArray<VendorReset> resets) =>
        resets.Any(reset => reset.Type < VendorReset.FirstType) ? $"the vendor's types begin at 0x{VendorReset.FirstType:X}"
        : resets.Any(reset => !Enum.IsDefined(reset.Action)) ? "the actions are reset and shutdown"
        : Twice(resets, reset => reset.Type) is { } type ? $"type 0x{type:X} stands twice"
        : null;

    private static object? Twice<T, TKey>(ValueArray<T> items, Func<T, TKey> key) =>
        items.GroupBy(key).Where(group => group.Count() > 1).Select(group => (object?)group.Key).FirstOrDefault();
}

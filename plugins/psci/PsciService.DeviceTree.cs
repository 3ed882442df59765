using Hypercalls.Sdk;
using static Hypercalls.Sdk.DeviceTreeProperty;

namespace Hypercalls.Psci;

/// <summary>Where an operating system finds PSCI and its idle states (Linux, devicetree bindings, Power State Coordination Interface; Idle states).</summary>
public sealed partial class PsciService : IDeviceTree
{
    private const string EveryCpu = "/cpus/cpu@*";
    private const string IdleStates = "/cpus/idle-states";

    /// <inheritdoc/>
    public ValueArray<DeviceTreeNode> DeviceTree(MachineDescription machine)
    {
        DeviceTreeProperty compatible = _settings.Version.Major == 0
            ? Strings("compatible", "arm,psci-0.2")
            : Strings("compatible", "arm,psci-1.0", "arm,psci-0.2");
        SuspendState[] idle = [.. _settings.SuspendStates.Where(state => state.Idle is not null)];
        var enableMethod = Strings("enable-method", "psci");
        return
        [
            new("/psci", [compatible, Conduit("method")]),
            new(EveryCpu, idle.Length == 0 ? [enableMethod] : [enableMethod, References("cpu-idle-states", [.. idle.Select(PathOf)])]),
            .. idle.Length == 0 ? [] : (DeviceTreeNode[])[new(IdleStates, [Strings("entry-method", "psci")])],
            .. idle.Select(state => NodeOf(state, state.Idle!)),
        ];
    }

    private static string PathOf(SuspendState state) => $"{IdleStates}/{state.Name}";

    // No local-timer-stop: the timers of a virtual core go on, and wake it.
    private DeviceTreeNode NodeOf(SuspendState state, IdleState idle) => new(PathOf(state),
    [
        Strings("compatible", "arm,idle-state"),
        Cells("arm,psci-suspend-param", state.Parameter(_settings.StateIdFormat)),
        Cells("entry-latency-us", idle.EntryLatencyUs),
        Cells("exit-latency-us", idle.ExitLatencyUs),
        Cells("min-residency-us", idle.MinResidencyUs),
    ]);
}

using Hypercalls.Sdk;
using static Hypercalls.Sdk.DeviceTreeProperty;

namespace Hypercalls.Sdei;

/// <summary>Where an operating system finds SDEI (Linux, devicetree bindings, Software Delegated Exception Interface).</summary>
public sealed partial class SdeiService : IDeviceTree
{
    /// <summary>Nothing for a guest in AArch32 state, which has no SDEI.</summary>
    /// <inheritdoc/>
    public ValueArray<DeviceTreeNode> DeviceTree(MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        // Bindings know no later version than this one.
        return machine.IsAArch32 ? [] : [new("/firmware/sdei", [Strings("compatible", "arm,sdei-1.0"), Conduit("method")])];
    }
}

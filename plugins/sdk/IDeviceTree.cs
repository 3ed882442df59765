namespace Hypercalls.Sdk;

/// <summary>For services that guests find in the device tree.</summary>
public interface IDeviceTree
{
    /// <summary>What the host adds to the tree before it loads the guest. Asked once for each host that attaches.</summary>
    /// <param name="machine">What the host says.</param>
    /// <returns>At most 256 nodes, with at most 64 KiB of paths, names and values among all services.</returns>
    ValueArray<DeviceTreeNode> DeviceTree(MachineDescription machine);
}

namespace Hypercalls.Sdk;

public sealed partial class ServiceSet
{
    /// <summary>What all services add to the guest's device tree.</summary>
    /// <param name="machine">What the host says.</param>
    /// <param name="failures">Services that threw, or gave what no tree can hold: they add nothing.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The nodes, service by service.</returns>
    public ValueArray<DeviceTreeNode> DeviceTree(MachineDescription machine, out IReadOnlyList<ServiceFailure> failures, RunningService? running = null)
    {
        List<DeviceTreeNode> all = [];
        List<ServiceFailure> faults = [];
        var rules = new DeviceTreeRules();
        foreach (var index in _active)
        {
            var service = Services[index];
            if (service is not IDeviceTree tree)
            {
                continue;
            }

            running?.Enter(service, "device tree");
            try
            {
                var nodes = tree.DeviceTree(machine);
                rules.Add(service, nodes);
                all.AddRange(nodes);
            }
            catch (Exception e)
            {
                faults.Add(new(service, "device tree", e));
            }
        }

        failures = faults;
        return [.. all];
    }
}

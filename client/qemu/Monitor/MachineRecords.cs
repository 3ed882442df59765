using Hypercalls.Hosts.Vcpus;

namespace Hypercalls.Qemu.Monitor;

/// <summary>All that is kept in a machine's mailbox area for the host process after this one.</summary>
internal sealed class MachineRecords(GuestRam ram, int count) : IPowerRecords
{
    public AreaRecords Area { get; } = new(ram);

    public IReadOnlyList<VcpuRecords> Vcpus { get; } = [.. Enumerable.Range(0, count).Select(number => new VcpuRecords(ram, number))];

    public void Starts(int number, uint boot, CoreStart start) => Vcpus[number].Keep(boot, start);

    public void Told(uint boot) => Area.ToldBoot = boot;
}

using System.Buffers.Binary;
using Hypercalls.Hosts.DeviceTree;
using Hypercalls.Hosts.Loading;
using Hypercalls.Protos;
using Node = Hypercalls.Hosts.DeviceTree.DeviceTreeNode;
using WireNode = Hypercalls.Protos.DeviceTreeNode;

namespace Hypercalls.Kvm;

/// <summary>What stands where in the guest's address space, and the device tree that says so. The places are those of QEMU's virt machine: guests for the one run on the other.</summary>
internal static class KvmBoard
{
    public const ulong Distributor = 0x0800_0000;
    public const ulong Redistributors = 0x080a_0000;
    public const ulong Uart = 0x0900_0000;

    /// <summary>INTID of the console's interrupt.</summary>
    public const uint UartInterrupt = 32 + UartSpi;

    /// <summary>INTIDs that the GIC has: 32 private ones, the others shared.</summary>
    public const uint Interrupts = 96;

    private const ulong DistributorSize = 0x1_0000;
    private const ulong RedistributorSize = 0x2_0000;
    private const ulong UartSize = 0x1000;
    private const uint UartSpi = 1;
    private const uint UartHertz = 24_000_000;

    // Interrupt specifiers of the GIC (Linux, Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml).
    private const uint Spi = 0;
    private const uint Ppi = 1;
    private const uint LevelHigh = 4;

    private const uint GicHandle = 1;
    private const uint ClockHandle = 2;

    /// <summary>The tree of a machine. What services give comes first: it changes nothing that the host says.</summary>
    public static byte[] DeviceTree(KvmOptions options, IReadOnlyList<ulong> mpidrs, IReadOnlyList<WireNode> nodes, (ulong Start, ulong End) initrd)
    {
        var tree = new FlattenedDeviceTree { Root = new("") };
        var root = tree.Root;
        root.SetStrings("compatible", "linux,dummy-virt");
        root.SetStrings("model", "Hypercalls on KVM");
        root.SetCell("#address-cells", 2);
        root.SetCell("#size-cells", 2);
        root.SetCell("interrupt-parent", GicHandle);
        AddHardware(root, mpidrs);
        ServiceNodes.Add(tree, nodes, options.Conduit);
        AddHardware(root, mpidrs);
        if (options.Psci == PsciOwner.Kernel)
        {
            AddPsci(root, options.Conduit);
        }
        var memory = root.ChildOrNew($"memory@{Vcpus.KvmRam.Base:x}");
        memory.SetStrings("device_type", "memory");
        memory.SetLongs("reg", Vcpus.KvmRam.Base, (ulong)options.MemoryMiB << 20);
        var chosen = root.ChildOrNew("chosen");
        chosen.SetStrings("bootargs", options.CommandLine);
        chosen.SetStrings("stdout-path", $"/pl011@{Uart:x}");
        if (initrd.End > initrd.Start)
        {
            chosen.SetLongs("linux,initrd-start", initrd.Start);
            chosen.SetLongs("linux,initrd-end", initrd.End);
        }
        return tree.ToBytes();
    }

    private static void AddHardware(Node root, IReadOnlyList<ulong> mpidrs)
    {
        AddCores(root.ChildOrNew("cpus"), mpidrs);
        AddGic(root.ChildOrNew($"intc@{Distributor:x}"), mpidrs.Count);
        AddTimer(root.ChildOrNew("timer"));
        AddUart(root, root.ChildOrNew($"pl011@{Uart:x}"));
    }

    private static void AddCores(Node cpus, IReadOnlyList<ulong> mpidrs)
    {
        cpus.SetCell("#address-cells", 1);
        cpus.SetCell("#size-cells", 0);
        foreach (var mpidr in mpidrs)
        {
            var cpu = cpus.ChildOrNew($"cpu@{mpidr:x}");
            cpu.SetStrings("device_type", "cpu");
            cpu.SetStrings("compatible", "arm,armv8");
            cpu.SetCell("reg", (uint)mpidr);
        }
    }

    private static void AddPsci(Node root, Conduit conduit)
    {
        var psci = root.ChildOrNew("psci");
        psci.SetStrings("compatible", "arm,psci-1.0", "arm,psci-0.2");
        psci.SetStrings("method", conduit == Conduit.Hvc ? "hvc" : "smc");
        foreach (var cpu in root.Child("cpus")!.Children)
        {
            cpu.SetStrings("enable-method", "psci");
        }
    }

    private static void AddGic(Node gic, int cores)
    {
        gic.SetStrings("compatible", "arm,gic-v3");
        gic.SetCell("#interrupt-cells", 3);
        gic.SetEmpty("interrupt-controller");
        gic.SetLongs("reg", Distributor, DistributorSize, Redistributors, RedistributorSize * (ulong)cores);
        gic.SetCell("phandle", GicHandle);
    }

    /// <summary>Secure, non-secure, virtual, hypervisor: as KVM has them without being told otherwise.</summary>
    private static void AddTimer(Node timer)
    {
        timer.SetStrings("compatible", "arm,armv8-timer");
        timer["interrupts"] = Cells(Ppi, 13, LevelHigh, Ppi, 14, LevelHigh, Ppi, 11, LevelHigh, Ppi, 10, LevelHigh);
        timer.SetEmpty("always-on");
    }

    private static void AddUart(Node root, Node uart)
    {
        var clock = root.ChildOrNew("apb-pclk");
        clock.SetStrings("compatible", "fixed-clock");
        clock.SetCell("#clock-cells", 0);
        clock.SetCell("clock-frequency", UartHertz);
        clock.SetCell("phandle", ClockHandle);
        uart.SetStrings("compatible", "arm,pl011", "arm,primecell");
        uart.SetLongs("reg", Uart, UartSize);
        uart["interrupts"] = Cells(Spi, UartSpi, LevelHigh);
        uart["clocks"] = Cells(ClockHandle, ClockHandle);
        uart.SetStrings("clock-names", "uartclk", "apb_pclk");
    }

    private static byte[] Cells(params ReadOnlySpan<uint> cells)
    {
        var bytes = new byte[cells.Length * sizeof(uint)];
        for (var n = 0; n < cells.Length; n++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(n * sizeof(uint)), cells[n]);
        }
        return bytes;
    }
}

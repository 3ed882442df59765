using System.Buffers.Binary;
using System.Text;
using Google.Protobuf;
using Hypercalls.Hosts.DeviceTree;
using Hypercalls.Kvm;
using Hypercalls.Protos;
using Node = Hypercalls.Hosts.DeviceTree.DeviceTreeNode;

namespace Hypercalls.Tests.Client.Kvm;

public sealed class KvmBoardTests
{
    private static readonly KvmOptions s_options = new() { Kernel = "", MemoryMiB = 512, CommandLine = "console=ttyAMA0 panic=-1" };

    [Fact]
    public void Tells_of_memory_and_of_the_guests_command_line()
    {
        var root = Tree();
        Assert.Equal([2u], Cells(root, "#address-cells"));
        Assert.Equal([2u], Cells(root, "#size-cells"));
        Assert.Equal("memory\0", Text(root.Child("memory@40000000"), "device_type"));
        Assert.Equal([0u, 0x4000_0000, 0, 512 << 20], Cells(root.Child("memory@40000000"), "reg"));
        Assert.Equal("console=ttyAMA0 panic=-1\0", Text(root.Child("chosen"), "bootargs"));
        Assert.Equal("/pl011@9000000\0", Text(root.Child("chosen"), "stdout-path"));
    }

    [Fact]
    public void Memory_above_4_GiB_is_told_whole() =>
        Assert.Equal([0u, 0x4000_0000, 3, 0xc000_0000u], Cells(Tree(s_options with { MemoryMiB = 15 << 10 }).Child("memory@40000000"), "reg"));

    [Fact]
    public void The_GIC_has_a_redistributor_for_each_core_and_all_interrupts_go_to_it()
    {
        var root = Tree(cores: [0, 1, 0x100]);
        var gic = root.Child("intc@8000000");
        Assert.Equal("arm,gic-v3\0", Text(gic, "compatible"));
        Assert.Equal([3u], Cells(gic, "#interrupt-cells"));
        Assert.Empty(gic!["interrupt-controller"]!);
        Assert.Equal([0u, 0x0800_0000, 0, 0x1_0000, 0, 0x080a_0000, 0, 3 * 0x2_0000], Cells(gic, "reg"));
        Assert.Equal(Cells(root, "interrupt-parent"), Cells(gic, "phandle"));
        // As many redistributors as there can be cores end below the console.
        Assert.True(KvmBoard.Redistributors + (KvmMachine.MostCores * 0x2_0000) <= KvmBoard.Uart);
    }

    [Fact]
    public void The_timer_has_its_four_private_interrupts()
    {
        var timer = Tree().Child("timer");
        Assert.Equal("arm,armv8-timer\0", Text(timer, "compatible"));
        // PPI 13, 14, 11, 10: secure, non-secure, virtual, hypervisor; level, high.
        Assert.Equal([1u, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4], Cells(timer, "interrupts"));
    }

    [Fact]
    public void The_console_is_a_PL011_with_a_clock()
    {
        var root = Tree();
        var (uart, clock) = (root.Child("pl011@9000000"), root.Child("apb-pclk"));
        Assert.Equal("arm,pl011\0arm,primecell\0", Text(uart, "compatible"));
        Assert.Equal([0u, 0x0900_0000, 0, 0x1000], Cells(uart, "reg"));
        Assert.Equal([0u, 1, 4], Cells(uart, "interrupts"));
        Assert.Equal([2u, 2], Cells(uart, "clocks"));
        Assert.Equal("uartclk\0apb_pclk\0", Text(uart, "clock-names"));
        Assert.Equal([2u], Cells(clock, "phandle"));
        Assert.Equal([24_000_000u], Cells(clock, "clock-frequency"));
        Assert.Equal([0u], Cells(clock, "#clock-cells"));
        // INTIDs of shared interrupts begin at 32.
        Assert.Equal(33u, KvmBoard.UartInterrupt);
    }

    [Fact]
    public void Every_core_is_there_by_its_affinity_and_no_method_is_told_where_PSCI_is_a_services()
    {
        var cpus = Tree(cores: [0, 1, 0x101]).Child("cpus")!;
        Assert.Equal([1u], Cells(cpus, "#address-cells"));
        Assert.Equal([0u], Cells(cpus, "#size-cells"));
        Assert.Equal(["cpu@0", "cpu@1", "cpu@101"], cpus.Children.Select(cpu => cpu.Name));
        Assert.Equal([[0u], [1u], [0x101u]], cpus.Children.Select(cpu => Cells(cpu, "reg")));
        Assert.All(cpus.Children, cpu => Assert.Equal(("cpu\0", "arm,armv8\0", null), (Text(cpu, "device_type"), Text(cpu, "compatible"), cpu["enable-method"])));
    }

    [Theory]
    [InlineData(PsciOwner.Daemon, Conduit.Smc, null)]
    [InlineData(PsciOwner.Kernel, Conduit.Smc, "smc\0")]
    [InlineData(PsciOwner.Kernel, Conduit.Hvc, "hvc\0")]
    public void PSCI_is_told_where_it_is_the_kernels_alone(PsciOwner owner, Conduit conduit, string? method)
    {
        var root = Tree(s_options with { Psci = owner, Conduit = conduit });
        Assert.Equal(method, root.Child("psci") is { } psci ? Text(psci, "method") : null);
        Assert.Equal(method is null ? null : "arm,psci-1.0\0arm,psci-0.2\0", root.Child("psci") is { } node ? Text(node, "compatible") : null);
        Assert.Equal(method is null ? null : "psci\0", root.Child("cpus")!.Children[0]["enable-method"] is { } value ? Encoding.ASCII.GetString(value) : null);
    }

    [Fact]
    public void An_initial_RAM_file_system_is_told_where_there_is_one()
    {
        var chosen = Tree(initrd: (0x4400_0000, 0x4400_1234)).Child("chosen");
        Assert.Equal([0u, 0x4400_0000], Cells(chosen, "linux,initrd-start"));
        Assert.Equal([0u, 0x4400_1234], Cells(chosen, "linux,initrd-end"));
        Assert.Null(Tree(initrd: (0x4400_0000, 0x4400_0000)).Child("chosen")!["linux,initrd-start"]);
    }

    [Fact]
    public void What_services_give_is_there_and_changes_nothing_that_the_host_says()
    {
        var root = Tree(nodes:
        [
            new() { Path = "/firmware/sdei", Properties = { new DeviceTreeProperty { Name = "method", Conduit = new() } } },
            new() { Path = "/psci", Properties = { new DeviceTreeProperty { Name = "method", Conduit = new() } } },
            new() { Path = "/cpus/cpu@*", Properties = { new DeviceTreeProperty { Name = "enable-method", Data = ByteString.CopyFromUtf8("psci\0") } } },
            new() { Path = "/timer-user", Properties = { new DeviceTreeProperty { Name = "gic", References = new() { Paths = { "/intc@8000000" } } } } },
            new() { Path = "/chosen", Properties = { new DeviceTreeProperty { Name = "bootargs", Data = ByteString.CopyFromUtf8("another\0") } } },
            new() { Path = "/memory@40000000", Properties = { new DeviceTreeProperty { Name = "reg", Data = ByteString.CopyFrom(new byte[16]) } } },
        ]);
        Assert.Equal("smc\0", Text(root.Child("firmware")!.Child("sdei"), "method"));
        Assert.Equal("smc\0", Text(root.Child("psci"), "method"));
        Assert.Equal("psci\0", Text(root.Child("cpus")!.Child("cpu@0"), "enable-method"));
        Assert.Equal([1u], Cells(root.Child("timer-user"), "gic"));
        Assert.Equal("console=ttyAMA0 panic=-1\0", Text(root.Child("chosen"), "bootargs"));
        Assert.Equal([0u, 0x4000_0000, 0, 512 << 20], Cells(root.Child("memory@40000000"), "reg"));
    }

    private static Node Tree(KvmOptions? options = null, ulong[]? cores = null, Hypercalls.Protos.DeviceTreeNode[]? nodes = null, (ulong, ulong) initrd = default)
    {
        Assert.True(FlattenedDeviceTree.TryParse(KvmBoard.DeviceTree(options ?? s_options, cores ?? [0], nodes ?? [], initrd), out var tree));
        return tree.Root;
    }

    private static uint[] Cells(Node? node, string property)
    {
        var bytes = node![property]!;
        return [.. Enumerable.Range(0, bytes.Length / 4).Select(n => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(n * 4)))];
    }

    private static string Text(Node? node, string property) => Encoding.ASCII.GetString(node![property]!);
}

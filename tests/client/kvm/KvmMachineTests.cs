using Hypercalls.Client.Kernel;
using Hypercalls.Hosts;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm;

public sealed class KvmMachineTests
{
    [Fact]
    public void Says_what_it_is_before_it_runs()
    {
        using var host = new FakeHost(Guest, cores: 3);
        var boot = host.Boot;
        Assert.Equal(
            (1ul, 0x4000_0000ul, 64ul << 20, 1u, ExecutionState.Aarch64, "KVM of Linux 6.12.107-fake"),
            (boot.Boot, boot.RamBase, boot.RamSize, boot.ClientEl, boot.ExecutionState, boot.Host));
        Assert.Equal([0ul, 1, 2], boot.Cores);
        Assert.Equal([Conduit.Smc, Conduit.Hvc], boot.Conduits);
        Assert.Empty(boot.Interrupts);
        // Those that this kernel has.
        Assert.Equal([KeyValuePair.Create("MIDR_EL1", 0x410f_d0b0ul), KeyValuePair.Create("ID_AA64PFR0_EL1", 0x11_0000_1111ul)], boot.IdRegisters);
        Assert.Equal(
            KvmRegister.Of(new() { HasFilter = true, PsciVersion = 0x1_0001, StdBitmap = 1, StdHypBitmap = 1, VendorHypBitmap = 3, Filter = host.Kvm.Vms[0].Filter }),
            boot.Kernel);
        Assert.True(host.Machine.Token.IsEmpty);
        Assert.False(host.Machine.IsTakenOver);
    }

    [Fact]
    public void Has_a_filter_RAM_and_a_GIC_where_the_device_tree_says()
    {
        using var host = new FakeHost(Guest, cores: 2);
        var vm = host.Kvm.Vms.Single();
        Assert.Equal(ForwardRanges.All, vm.Filter);
        Assert.Equal((0x4000_0000ul, 64ul << 20), (vm.MemoryBase, vm.Memory!.Size));
        Assert.Equal((0x0800_0000ul, 0x080a_0000ul, 96u), vm.Gic!.Value);
        Assert.Equal(2, vm.Vcpus.Count);
    }

    [Theory]
    [InlineData(0, 64, 1u, "0 cores: this host runs 1 to 8.")]
    [InlineData(9, 64, 1u, "9 cores: this host runs 1 to 8.")]
    [InlineData(1, 15, 1u, "15 MiB of memory: this host runs 16 MiB to 255 GiB.")]
    [InlineData(1, 261121, 1u, "261121 MiB of memory: this host runs 16 MiB to 255 GiB.")]
    [InlineData(1, 64, 2u, "A guest at EL2: on KVM this host runs them at EL1. Without --accel kvm it runs them at EL2 too.")]
    [InlineData(1, 16, 1u, "Kernel and initrd do not fit into RAM: they need 25 MiB and what the guest itself uses.")]
    public void Refuses_a_machine_that_it_cannot_make(int cores, int memory, uint el, string sentence)
    {
        var kvm = new FakeKvm(Guest);
        var refusal = Assert.Throws<HostException>(() => new FakeHost(Guest, with: options => options with { Cores = cores, MemoryMiB = memory, ClientEl = el }, kvm: kvm));
        Assert.Equal(sentence, refusal.Message);
        Assert.Equal((1, 0), (kvm.Open, kvm.Mapped));
    }

    [Fact]
    public void Refuses_a_kernel_that_forwards_nothing_and_leaves_nothing_behind()
    {
        var kvm = new FakeKvm(Guest) { HasFilter = false, Release = "6.1.0-fake" };
        var refusal = Assert.Throws<HostException>(() => new FakeHost(Guest, kvm: kvm));
        Assert.StartsWith("The kernel 6.1.0-fake has no SMCCC filter, so it forwards no call to anybody: Linux 6.4 or newer has it.", refusal.Message, StringComparison.Ordinal);
        Assert.Equal((1, 0), (kvm.Open, kvm.Mapped));
    }

    [Fact]
    public void Refuses_a_kernel_that_makes_no_GICv3_and_leaves_nothing_behind()
    {
        var kvm = new FakeKvm(Guest) { HasGic = false };
        var refusal = Assert.Throws<HostException>(() => new FakeHost(Guest, kvm: kvm));
        Assert.Equal(
            "KVM makes no GICv3 on this machine, whose own interrupt controller is of another kind (GICv2, say): use a machine with GICv3, or run without --accel kvm, which emulates it.",
            refusal.Message);
        Assert.Equal((1, 0), (kvm.Open, kvm.Mapped));
        // It was asked before anything was built on it.
        Assert.Empty(kvm.Vms.Single().Vcpus);
    }

    // Bits of address, the most MiB above 0x40000000 that they reach
    [Theory]
    [InlineData(32, 3072)]
    [InlineData(36, 64512)]
    public void Refuses_more_memory_than_guests_have_addresses_before_anything_is_made(int bits, int mostMiB)
    {
        var kvm = new FakeKvm(Guest) { AddressBits = bits };
        var refusal = Assert.Throws<HostException>(() => new FakeHost(Guest, with: options => options with { MemoryMiB = mostMiB + 1 }, kvm: kvm));
        Assert.Equal(
            ($"--memory {mostMiB + 1}: on this machine KVM's guests have {bits} bits of physical address, and RAM begins at 0x40000000. Give at most {mostMiB}, or run without --accel kvm, which emulates the machine.", true),
            (refusal.Message, refusal.IsBadInput));
        Assert.Equal((1, 0), (kvm.Open, kvm.Mapped));
        Assert.Empty(kvm.Vms);
    }

    [Fact]
    public void All_memory_that_guests_have_addresses_for_is_theirs()
    {
        using var host = new FakeHost(Guest, with: options => options with { MemoryMiB = 3072 }, kvm: new FakeKvm(Guest) { AddressBits = 32 });
        Assert.Equal(0x1_0000_0000ul, host.Boot.RamBase + host.Boot.RamSize);
    }

    [Fact]
    public void A_register_that_KVM_does_not_give_is_the_hosts_own_refusal()
    {
        using var host = new FakeHost(Guest, kvm: new FakeKvm(Guest) { Withheld = KvmRegisterId.PsciVersion });
        Assert.Equal("vCPU 0 does not give register 0x6030000000140000: EINVAL (22).", Assert.Throws<HostException>(() => host.Boot).Message);
    }

    [Fact]
    public void Refuses_AArch32_where_the_CPU_has_none()
    {
        var kvm = new FakeKvm(Guest) { HasAArch32 = false };
        var refusal = Assert.Throws<HostException>(() => new FakeHost(Guest, with: options => options with { KernelIsAArch32 = true }, kvm: kvm));
        Assert.Equal(("This CPU knows no AArch32 at EL1: an AArch32 kernel cannot start on it.", true), (refusal.Message, refusal.IsBadInput));
        Assert.Equal((1, 0), (kvm.Open, kvm.Mapped));
    }

    [Fact]
    public void The_guest_prints_and_reads_what_was_typed()
    {
        using var host = new FakeHost(Console);
        host.Machine.WriteConsole("ok"u8);
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal("Hi\n", host.Console);

        static IEnumerable<FakeStep> Console(FakeVcpu cpu)
        {
            const ulong Uart = 0x0900_0000;
            foreach (var letter in "Hi\n")
            {
                var pc = cpu.Pc;
                yield return FakeStep.Write(Uart, 1, letter);
                Assert.Equal(pc + 4, cpu.Pc);
            }
            foreach (var letter in "ok")
            {
                yield return FakeStep.Read(Uart, 1, register: 9);
                Assert.Equal(letter, cpu.X(9));
            }
            // The interrupt mask: no level, and then, with something to read, the line of SPI 1.
            yield return FakeStep.Write(Uart + 0x38, 4, 0x10);
            yield return FakeStep.Read(Uart + 0x38, 4, register: 9);
            Assert.Equal((0x10ul, false), (cpu.X(9), cpu.Vm.Level(33)));
            cpu.Machine.WriteConsole("!"u8);
            Assert.True(cpu.Vm.Level(33));
            // Nobody's address reads as zero.
            yield return FakeStep.Read(0x1000, 8, register: 9);
            Assert.Equal(0ul, cpu.X(9));
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void A_guest_that_is_never_run_leaves_nothing_behind()
    {
        using var host = new FakeHost(Guest, cores: 4);
        _ = host.Boot;
        host.Machine.AttentionWanted(0, true);
        host.Machine.WriteConsole("typed too early"u8);
    }

    [Fact]
    public void Nodes_that_no_tree_can_hold_are_refused_before_the_guest_runs()
    {
        using var host = new FakeHost(Guest) { Nodes = [new() { Path = "psci" }] };
        Assert.Contains("psci", Assert.Throws<HostException>(() => host.Run()).Message, StringComparison.Ordinal);
        Assert.Equal(0, host.Kvm.Vms[0].Vcpus[0].Runs);
    }

    private static IEnumerable<FakeStep> Guest(FakeVcpu cpu) => [PowerOff(cpu)];
}

using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>Machines that a real kernel's KVM does not become: each is refused with a sentence, however far it was made, and nothing of it is left.</summary>
[Collection(QemuMachines.Name)]
public sealed class RefusedKvmMachinesTests(GuestImages guests, BootedKernels kernels)
{
    [RealKernelFact("6.1")]
    public void A_kernel_without_the_filter()
    {
        var refusal = Refuse("6.1", new() { Kernel = guests["cores"], MemoryMiB = 16 });
        Assert.Equal(
            $"The kernel {kernels["6.1"].Release} has no SMCCC filter, so it forwards no call to anybody: Linux 6.4 or newer has it. Boot such a kernel, or run without --accel kvm, which emulates the machine.",
            refusal.Message);
        Assert.StartsWith("6.1.", kernels["6.1"].Release, StringComparison.Ordinal);
    }

    [RealKernelFact("6.12")]
    public void A_denied_range_that_is_reserved()
    {
        var refusal = Refuse("6.12", new() { Kernel = guests["cores"], MemoryMiB = 16, Deny = [(0x8000_0000, 0x8000_0000)] });
        Assert.True(refusal.IsBadInput);
        Assert.Equal(
            "The range 0x80000000 to 0x80000000 cannot be denied: it touches 0x80000000 to 0x8000FFFF or 0xC0000000 to 0xC000FFFF, which the kernel gives to nobody. Name ranges that stand apart, outside of the reserved ones.",
            refusal.Message);
    }

    [RealKernelFact("6.12")]
    public void A_guest_that_is_not_there()
    {
        var missing = guests["cores"] + ".no";
        Assert.Contains(missing, Refuse("6.12", new() { Kernel = missing, MemoryMiB = 16 }).Message, StringComparison.Ordinal);
    }

    // The memory is mapped, but is more than KVM's physical addresses reach.
    [RealKernelFact("6.12")]
    public void More_memory_than_there_is_address_space()
    {
        using var vm = new BareVm(kernels["6.12"]);
        using var memory = vm.Kvm.Map(1ul << 41);
        var refusal = Assert.Throws<Hypercalls.Kvm.Interface.KvmException>(() => vm.Vm.SetMemory(BareVm.Start, memory));
        Assert.StartsWith("KVM takes no 2097152 MiB of RAM at 0x40000000: ", refusal.Message, StringComparison.Ordinal);
    }

    private HostException Refuse(string role, KvmOptions options)
    {
        var refusal = Assert.Throws<HostException>(() => KvmMachine.Start(options, new RemoteKernel(kernels[role])));
        Assert.Equal((0u, 0u, 0u), kernels[role].Leftovers());
        return refusal;
    }
}

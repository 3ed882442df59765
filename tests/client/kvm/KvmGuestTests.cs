using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>The guests of tests/Guest on a real kernel's KVM: what they see of a host is what they see of the one on QEMU.</summary>
[Collection(QemuMachines.Name)]
public sealed class KvmGuestTests(GuestImages guests, BootedKernels kernels)
{
    [RealKernelFact("6.12")]
    public void Two_cores_start_stop_and_power_off()
    {
        var run = Run("cores", cores: 2);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal("", run.Console);
    }

    private GuestRun Run(string guest, int cores = 1) => GuestRun.Of(
        new KvmOptions { Kernel = guests[guest], Cores = cores, MemoryMiB = 64 },
        options => KvmMachine.Start((KvmOptions)options, new RemoteKernel(kernels["6.12"])));
}

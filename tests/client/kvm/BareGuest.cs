using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hypercalls.Kvm.Native;
using Hypercalls.RealKernels;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>A machine of KVM made call by call: memory with a few instructions at its start, and vCPUs that begin there.</summary>
internal sealed class BareGuest : IDisposable
{
    public const ulong Start = 0x4000_0000;
    public const ulong Size = 2 << 20;
    public const ulong Pc = 0x6030_0000_0010_0040;

    private readonly int _kvm;
    private readonly int _runSize;
    private readonly List<IKernelVcpu> _vcpus = [];

    public BareGuest(RealMachine machine, params uint[] instructions)
    {
        Kernel = new RemoteKernel(machine);
        _kvm = Done(Kernel.Open("/dev/kvm"));
        _runSize = Done(Kernel.Control(_kvm, KvmIoctl.GetVcpuMmapSize, 0));
        Machine = Done(Kernel.Control(_kvm, KvmIoctl.CreateVm, 0));
        Memory = Kernel.Map(Size);
        Memory.Write(0, MemoryMarshal.AsBytes(instructions.AsSpan()));
        // struct kvm_userspace_memory_region: slot, flags, guest_phys_addr, memory_size, userspace_addr.
        var region = new byte[32];
        BinaryPrimitives.WriteUInt64LittleEndian(region.AsSpan(8), Start);
        BinaryPrimitives.WriteUInt64LittleEndian(region.AsSpan(16), Size);
        BinaryPrimitives.WriteUInt64LittleEndian(region.AsSpan(24), Memory.Address);
        Done(Kernel.Control(Machine, KvmIoctl.SetUserMemoryRegion, region));
    }

    public IKernel Kernel { get; }

    /// <summary>Its file descriptor.</summary>
    public int Machine { get; }

    public IKernelMemory Memory { get; }

    /// <summary>The number of Xn.</summary>
    public static ulong X(int n) => 0x6030_0000_0010_0000 + (2 * (ulong)n);

    /// <summary>Has calls with these function IDs end KVM_RUN (KVM_ARM_VM_SMCCC_FILTER).</summary>
    public int Forward(uint first, uint count)
    {
        var filter = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(filter, first);
        BinaryPrimitives.WriteUInt32LittleEndian(filter.AsSpan(4), count);
        filter[8] = 2;
        return Kernel.Control(Machine, KvmIoctl.SetDeviceAttr, new byte[24], 16, filter);
    }

    public IKernelVcpu AddVcpu()
    {
        var vcpu = Kernel.OpenVcpu(Done(Kernel.Control(Machine, KvmIoctl.CreateVcpu, (ulong)_vcpus.Count)), _runSize);
        _vcpus.Add(vcpu);
        var init = new byte[32];
        Done(Kernel.Control(Machine, KvmIoctl.ArmPreferredTarget, init));
        Done(vcpu.Control(KvmIoctl.ArmVcpuInit, init));
        Done(vcpu.Set([Pc], [Start]));
        return vcpu;
    }

    public void Dispose()
    {
        _vcpus.ForEach(vcpu => vcpu.Dispose());
        Done(Kernel.Close(Machine));
        Done(Kernel.Close(_kvm));
        Memory.Dispose();
        Kernel.Dispose();
    }

    private static int Done(int result)
    {
        Assert.True(result >= 0, Errno.Text(-result));
        return result;
    }
}

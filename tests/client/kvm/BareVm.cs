using System.Runtime.InteropServices;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;
using Hypercalls.RealKernels;
using KvmDevice = Hypercalls.Kvm.Interface.Kvm;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>A machine of a real kernel's KVM, by the interface that the host uses: memory, and vCPUs that begin in it. Nothing else is there: no GIC, no device.</summary>
internal sealed class BareVm : IDisposable
{
    public const ulong Start = 0x4000_0000;
    public const ulong Size = 2 << 20;

    /// <summary>An address that is no memory.</summary>
    public const ulong Device = 0x0900_0000;

    private readonly KvmDevice _kvm;
    private readonly int _runSize;
    private readonly List<IKvmVcpu> _vcpus = [];
    private bool _hasMemory;

    public BareVm(RealMachine machine)
    {
        Kernel = new RemoteKernel(machine);
        _kvm = KvmDevice.Open(Kernel);
        Memory = _kvm.Map(Size);
        // What the interface has no call for needs the descriptor.
        var device = Kernel.Open("/dev/kvm");
        Descriptor = Kernel.Control(device, KvmIoctl.CreateVm, 0);
        _runSize = Kernel.Control(device, KvmIoctl.GetVcpuMmapSize, 0);
        Vm = new KvmVm(Kernel, Descriptor, _runSize);
        Kernel.Close(device);
    }

    public RemoteKernel Kernel { get; }

    public IKvm Kvm => _kvm;

    public IKvmVm Vm { get; }

    /// <summary>The machine's.</summary>
    public int Descriptor { get; }

    public IKernelMemory Memory { get; }

    /// <summary>One more vCPU.</summary>
    public IKvmVcpu Add(VcpuFeatures features = VcpuFeatures.Psci02)
    {
        if (!_hasMemory)
        {
            Vm.SetMemory(Start, Memory);
            _hasMemory = true;
        }
        var vcpu = Vm.CreateVcpu(_vcpus.Count, features);
        _vcpus.Add(vcpu);
        return vcpu;
    }

    /// <summary>One more vCPU, with an address in the memory for the time that was stolen from it (KVM_ARM_VCPU_PVTIME_IPA).</summary>
    public IKvmVcpu AddWithStolenTime(VcpuFeatures features, ulong address)
    {
        const uint PvTimeControl = 2;
        const ulong Address = 0;
        Vm.SetMemory(Start, Memory);
        var target = new KvmVcpuInit();
        KvmException.Check("No target", Kernel.Control(Descriptor, KvmIoctl.ArmPreferredTarget, MemoryMarshal.AsBytes(new Span<KvmVcpuInit>(ref target))));
        var descriptor = KvmException.Check("No vCPU", Kernel.Control(Descriptor, KvmIoctl.CreateVcpu, (ulong)_vcpus.Count));
        var vcpu = new KvmVcpu(Kernel.OpenVcpu(descriptor, _runSize), _vcpus.Count, target.Target);
        _vcpus.Add(vcpu);
        vcpu.Init(features);
        var attribute = new KvmDeviceAttr { Group = PvTimeControl, Attr = Address };
        KvmException.Check("No stolen time", Kernel.Control(
            descriptor, KvmIoctl.SetDeviceAttr, MemoryMarshal.AsBytes(new Span<KvmDeviceAttr>(ref attribute)), KvmDeviceAttr.AddressOffset, MemoryMarshal.AsBytes(new Span<ulong>(ref address))));
        return vcpu;
    }

    /// <summary>One more vCPU, which begins with these instructions at the start of the memory.</summary>
    public IKvmVcpu Add(uint[] program, VcpuFeatures features = VcpuFeatures.Psci02)
    {
        var vcpu = Add(features);
        Memory.Write(0, MemoryMarshal.AsBytes(program.AsSpan()));
        vcpu.Set([KvmRegisterId.Pc], [Start]);
        return vcpu;
    }

    public void Dispose()
    {
        _vcpus.ForEach(vcpu => vcpu.Dispose());
        Vm.Dispose();
        _kvm.Dispose();
        Memory.Dispose();
        Kernel.Dispose();
    }
}

/// <summary>A vCPU's registers and runs, as a test writes them.</summary>
internal static class VcpuExtensions
{
    public static ulong Get(this IKvmVcpu vcpu, ulong id)
    {
        var value = new ulong[1];
        vcpu.Get([id], value);
        return value[0];
    }

    /// <summary>x n and those after it.</summary>
    public static ulong[] GetX(this IKvmVcpu vcpu, int first, int count)
    {
        var values = new ulong[count];
        vcpu.Get([.. Enumerable.Range(first, count).Select(KvmRegisterId.X)], values);
        return values;
    }

    public static void Set(this IKvmVcpu vcpu, params (ulong Id, ulong Value)[] registers) =>
        vcpu.Set([.. registers.Select(register => register.Id)], [.. registers.Select(register => register.Value)]);

    /// <summary>Runs until the next exit; a guest that makes none is kicked after a time that none needs.</summary>
    public static ExitReason Run(this IKvmVcpu vcpu, params (ulong Id, ulong Value)[] registers)
    {
        using var watchdog = new Timer(_ => vcpu.Kick(), null, TimeSpan.FromSeconds(60), Timeout.InfiniteTimeSpan);
        return vcpu.Run(vcpu.Kicks, [.. registers.Select(register => register.Id)], [.. registers.Select(register => register.Value)], [], [], []);
    }
}

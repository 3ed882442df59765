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
        Vm = new KvmVm(Kernel, Descriptor, Kernel.Control(device, KvmIoctl.GetVcpuMmapSize, 0));
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

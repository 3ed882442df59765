using System.Runtime.InteropServices;
using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Kvm.Interface;

/// <summary>A machine by ioctls.</summary>
internal sealed class KvmVm(IKernel kernel, int descriptor, int runSize) : IKvmVm
{
    private const uint SmcccControl = 0;
    private const ulong SmcccFilter = 0;

    private const uint DeviceVgicV3 = 7;
    private const uint OnlyTest = 1;
    private const uint VgicGroupAddress = 0;
    private const uint VgicGroupInterrupts = 3;
    private const uint VgicGroupControl = 4;
    private const ulong VgicDistributor = 2;
    private const ulong VgicRedistributors = 3;
    private const ulong VgicInit = 0;

    private const uint IrqTypeSpi = 1 << 24;

    private int _descriptor = descriptor;
    private uint _slots;
    private int _gic = -1;

    public bool HasFilter { get; } = Attribute(kernel, descriptor, KvmIoctl.HasDeviceAttr, SmcccControl, SmcccFilter, []) >= 0;

    public bool HasGic
    {
        get
        {
            var device = new KvmCreateDevice { Type = DeviceVgicV3, Flags = OnlyTest };
            return kernel.Control(_descriptor, KvmIoctl.CreateDevice, Bytes(ref device)) >= 0;
        }
    }

    public void SetFilter(FilterRange range)
    {
        var filter = new KvmSmcccFilter { Base = range.First, NrFunctions = unchecked(range.Last - range.First + 1), Action = (byte)range.Action };
        var result = Attribute(kernel, _descriptor, KvmIoctl.SetDeviceAttr, SmcccControl, SmcccFilter, Bytes(ref filter));
        if (result < 0)
        {
            throw new KvmException(FilterRefusal(range, -result), -result);
        }
    }

    public void Enable(KvmCapability capability)
    {
        var enable = new KvmEnableCap { Cap = (uint)capability };
        KvmException.Check($"KVM does not enable {capability}", kernel.Control(_descriptor, KvmIoctl.EnableCap, Bytes(ref enable)));
    }

    public void SetMemory(ulong address, IKernelMemory memory)
    {
        var region = new KvmUserspaceMemoryRegion { Slot = _slots++, GuestPhysAddr = address, MemorySize = memory.Size, UserspaceAddr = memory.Address };
        KvmException.Check($"KVM takes no {memory.Size >> 20} MiB of RAM at 0x{address:x}", kernel.Control(_descriptor, KvmIoctl.SetUserMemoryRegion, Bytes(ref region)));
    }

    public IKvmVcpu CreateVcpu(int number, VcpuFeatures features)
    {
        var target = new KvmVcpuInit();
        KvmException.Check("KVM names no CPU to imitate", kernel.Control(_descriptor, KvmIoctl.ArmPreferredTarget, Bytes(ref target)));
        var created = KvmException.Check($"KVM makes no vCPU {number}", kernel.Control(_descriptor, KvmIoctl.CreateVcpu, (ulong)number));
        var vcpu = new KvmVcpu(kernel.OpenVcpu(created, runSize), number, target.Target);
        try
        {
            vcpu.Init(features);
            return vcpu;
        }
        catch
        {
            vcpu.Dispose();
            throw;
        }
    }

    public void CreateGic(ulong distributor, ulong redistributors, uint interrupts)
    {
        var device = new KvmCreateDevice { Type = DeviceVgicV3 };
        KvmException.Check("KVM makes no GICv3", kernel.Control(_descriptor, KvmIoctl.CreateDevice, Bytes(ref device)));
        _gic = (int)device.Fd;
        SetGic(VgicGroupInterrupts, 0, MemoryMarshal.AsBytes(new Span<uint>(ref interrupts)));
        SetGic(VgicGroupAddress, VgicDistributor, MemoryMarshal.AsBytes(new Span<ulong>(ref distributor)));
        SetGic(VgicGroupAddress, VgicRedistributors, MemoryMarshal.AsBytes(new Span<ulong>(ref redistributors)));
        SetGic(VgicGroupControl, VgicInit, []);
    }

    public void SetInterrupt(uint intid, bool level)
    {
        var line = new KvmIrqLevel { Irq = IrqTypeSpi | intid, Level = level ? 1u : 0 };
        KvmException.Check($"KVM does not set interrupt {intid}", kernel.Control(_descriptor, KvmIoctl.IrqLine, Bytes(ref line)));
    }

    public void Dispose()
    {
        Close(ref _gic);
        Close(ref _descriptor);
    }

    /// <summary>Once: its number may by then be another file's.</summary>
    private void Close(ref int descriptor)
    {
        if (Interlocked.Exchange(ref descriptor, -1) is >= 0 and var open)
        {
            _ = kernel.Close(open);
        }
    }

    private void SetGic(uint group, ulong attribute, Span<byte> value) =>
        KvmException.Check("KVM does not set its GIC up", Attribute(kernel, _gic, KvmIoctl.SetDeviceAttr, group, attribute, value));

    private static int Attribute(IKernel kernel, int descriptor, uint request, uint group, ulong attribute, Span<byte> value)
    {
        var attr = new KvmDeviceAttr { Group = group, Attr = attribute };
        return value.IsEmpty
            ? kernel.Control(descriptor, request, Bytes(ref attr))
            : kernel.Control(descriptor, request, Bytes(ref attr), KvmDeviceAttr.AddressOffset, value);
    }

    private static string FilterRefusal(FilterRange range, int errno)
    {
        var what = $"The SMCCC filter takes no range 0x{range.First:X8} to 0x{range.Last:X8} ({Errno.Text(errno)})";
        return errno switch
        {
            Errno.Eexist => $"{what}: it overlaps one that is installed, or those that the kernel reserves, 0x80000000 to 0x8000FFFF and 0xC0000000 to 0xC000FFFF. Leave these out.",
            Errno.Ebusy => $"{what}: a vCPU of this machine has run already. Install the filter before.",
            Errno.Einval => $"{what}: it is empty, ends before it begins, or has an action that this kernel does not know.",
            Errno.Enxio => $"{what}: this kernel has no filter. Linux 6.4 or newer has it.",
            _ => $"{what}.",
        };
    }

    private static Span<byte> Bytes<T>(ref T structure)
        where T : unmanaged => MemoryMarshal.AsBytes(new Span<T>(ref structure));
}

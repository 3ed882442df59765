using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypercalls.Kvm.Native;

// Linux, include/uapi/linux/kvm.h and arch/arm64/include/uapi/asm/kvm.h. Padding is written out and zero: a kernel may refuse what is not, or give it a meaning.

/// <summary>struct kvm_one_reg: 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmOneReg
{
    public ulong Id;
    public ulong Address;
}

/// <summary>struct kvm_vcpu_init: 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmVcpuInit
{
    public uint Target;
    public FeatureWords Features;

    [InlineArray(7)]
    public struct FeatureWords
    {
        private uint _word;
    }
}

/// <summary>struct kvm_smccc_filter: 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmSmcccFilter
{
    public uint Base;
    public uint NrFunctions;
    public byte Action;
    public Padding Pad;

    [InlineArray(15)]
    public struct Padding
    {
        private byte _byte;
    }
}

/// <summary>struct kvm_device_attr: 24 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmDeviceAttr
{
    public const int AddressOffset = 16;

    public uint Flags;
    public uint Group;
    public ulong Attr;
    public ulong Address;
}

/// <summary>struct kvm_userspace_memory_region: 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmUserspaceMemoryRegion
{
    public uint Slot;
    public uint Flags;
    public ulong GuestPhysAddr;
    public ulong MemorySize;
    public ulong UserspaceAddr;
}

/// <summary>struct kvm_irq_level: 8 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmIrqLevel
{
    public uint Irq;
    public uint Level;
}

/// <summary>struct kvm_create_device: 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmCreateDevice
{
    public uint Type;
    public uint Fd;
    public uint Flags;
}

/// <summary>struct kvm_enable_cap: 104 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmEnableCap
{
    public uint Cap;
    public uint Flags;
    public Arguments Args;
    public Padding Pad;

    [InlineArray(4)]
    public struct Arguments
    {
        private ulong _argument;
    }

    [InlineArray(64)]
    public struct Padding
    {
        private byte _byte;
    }
}

/// <summary>struct kvm_guest_debug of arm64: 520 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmGuestDebug
{
    public uint Control;
    public uint Pad;
    public Registers Arch;

    /// <summary>Breakpoint controls, their values, watchpoint controls, their values: 16 each.</summary>
    [InlineArray(64)]
    public struct Registers
    {
        private ulong _register;
    }
}

namespace Hypercalls.Kvm.Interface;

/// <summary>KVM_EXIT_… (Linux, include/uapi/linux/kvm.h).</summary>
internal enum ExitReason : uint
{
    Unknown = 0,
    Hypercall = 3,
    Debug = 4,
    Mmio = 6,
    FailEntry = 9,
    Interrupted = 10,
    InternalError = 17,
    SystemEvent = 24,
    ArmNisv = 28,
    MemoryFault = 39,
    ArmSea = 41,
    ArmLdst64B = 42,
}

/// <summary>KVM_SYSTEM_EVENT_….</summary>
internal enum KvmSystemEvent : uint
{
    Shutdown = 1,
    Reset = 2,
    Crash = 3,
    Wakeup = 4,
    Suspend = 5,
}

/// <summary>KVM_MP_STATE_….</summary>
internal enum MpState : uint
{
    Runnable = 0,
    Stopped = 5,
    Suspended = 10,
}

/// <summary>KVM_CAP_….</summary>
internal enum KvmCapability : uint
{
    ArmEl132Bit = 93,
    ArmPsci02 = 102,
    ArmVmIpaSize = 165,
    ArmNisvToUser = 177,
    SystemEventData = 215,
    ArmSystemSuspend = 216,
}

/// <summary>KVM_ARM_VCPU_…: the features of struct kvm_vcpu_init, as bits.</summary>
[Flags]
internal enum VcpuFeatures : uint
{
    None = 0,
    PowerOff = 1 << 0,
    El1Is32Bit = 1 << 1,
    Psci02 = 1 << 2,
}

/// <summary>KVM_GUESTDBG_…, as bits.</summary>
[Flags]
internal enum GuestDebug : uint
{
    None = 0,
    Enable = 1 << 0,
    SingleStep = 1 << 1,
    SoftwareBreakpoints = 1 << 16,
    HardwareBreakpoints = 1 << 17,
}

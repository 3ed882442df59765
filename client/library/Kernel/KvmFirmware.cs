namespace Hypercalls.Client.Kernel;

/// <summary>
/// What decides which calls KVM on arm64 keeps: read from the kernel, or set there, by the host (Linux, Documentation/virt/kvm/arm/fw-pseudo-registers.rst;
/// Documentation/virt/kvm/devices/vm.rst, KVM_ARM_VM_SMCCC_CTRL).
/// </summary>
public sealed record KvmFirmware
{
    /// <summary>Whether KVM_HAS_DEVICE_ATTR knows the SMCCC filter. Such a kernel, 6.4 or newer, also answers SMC.</summary>
    public bool HasFilter { get; init; }

    /// <summary>Whether the vCPUs have the feature KVM_ARM_VCPU_PSCI_0_2; without it PSCI 0.1 is all there is.</summary>
    public bool HasPsci02 { get; init; } = true;

    /// <summary>KVM_REG_ARM_PSCI_VERSION: major in bits 31:16, minor in 15:0.</summary>
    public uint PsciVersion { get; init; }

    /// <summary>KVM_REG_ARM_STD_BMAP: bit 0 TRNG.</summary>
    public ulong StdBitmap { get; init; }

    /// <summary>KVM_REG_ARM_STD_HYP_BMAP: bit 0 PV time.</summary>
    public ulong StdHypBitmap { get; init; }

    /// <summary>KVM_REG_ARM_VENDOR_HYP_BMAP: bit 0 UID and features, bit 1 PTP. What VENDOR_HYP_BMAP_2 advertises user space serves.</summary>
    public ulong VendorHypBitmap { get; init; }

    /// <summary>Whether the vCPUs were given an address for stolen time (KVM_ARM_VCPU_PVTIME_IPA).</summary>
    public bool HasStolenTime { get; init; }

    /// <summary>Whether KVM_CAP_ARM_SYSTEM_SUSPEND is enabled.</summary>
    public bool HasSystemSuspend { get; init; }

    /// <summary>The SMCCC filter as installed: a kernel gives none back. Ranges do not overlap, nor touch the reserved ones.</summary>
    public IReadOnlyList<FilterRange> Filter { get; init; } = [];
}

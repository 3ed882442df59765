namespace Hypercalls.Sdk;

/// <summary>Owning entity numbers, bits 29:24 of a function identifier (DEN0028, Function identifiers).</summary>
public enum OwningEntity : byte
{
    /// <summary>Arm Architecture service.</summary>
    Architecture = 0,

    /// <summary>CPU (vendor) service.</summary>
    Cpu = 1,

    /// <summary>Silicon partner service.</summary>
    SiliconPartner = 2,

    /// <summary>OEM service.</summary>
    Oem = 3,

    /// <summary>Standard Secure service: PSCI, SDEI, TRNG.</summary>
    StandardSecure = 4,

    /// <summary>Standard Hypervisor service: PV time.</summary>
    StandardHypervisor = 5,

    /// <summary>Vendor Hypervisor service.</summary>
    VendorHypervisor = 6,

    /// <summary>Vendor EL3 monitor service.</summary>
    VendorMonitor = 7,

    /// <summary>First of the Trusted Application range, 48 and 49.</summary>
    TrustedApplication = 48,

    /// <summary>First of the Trusted OS range, 50 to 63.</summary>
    TrustedOs = 50,
}

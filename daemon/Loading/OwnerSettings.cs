using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Loading;

/// <summary>What the operator says of the owners of functions: the member "owners" of the settings. Owners by the names of <see cref="OwningEntity"/>.</summary>
public sealed record OwnerSettings
{
    public OwnerSetting? Cpu { get; init; }

    public OwnerSetting? SiliconPartner { get; init; }

    public OwnerSetting? Oem { get; init; }

    public OwnerSetting? StandardSecure { get; init; }

    public OwnerSetting? StandardHypervisor { get; init; }

    public OwnerSetting? VendorHypervisor { get; init; }

    public OwnerSetting? VendorMonitor { get; init; }

    public OwnerSetting? TrustedApplication { get; init; }

    public OwnerSetting? TrustedOs { get; init; }

    /// <summary>Those that say something, each with the name of its member.</summary>
    internal IEnumerable<(string Member, OwningEntity Owner, OwnerSetting Setting)> Said =>
        new (string, OwningEntity, OwnerSetting?)[]
        {
            ("cpu", OwningEntity.Cpu, Cpu),
            ("siliconPartner", OwningEntity.SiliconPartner, SiliconPartner),
            ("oem", OwningEntity.Oem, Oem),
            ("standardSecure", OwningEntity.StandardSecure, StandardSecure),
            ("standardHypervisor", OwningEntity.StandardHypervisor, StandardHypervisor),
            ("vendorHypervisor", OwningEntity.VendorHypervisor, VendorHypervisor),
            ("vendorMonitor", OwningEntity.VendorMonitor, VendorMonitor),
            ("trustedApplication", OwningEntity.TrustedApplication, TrustedApplication),
            ("trustedOs", OwningEntity.TrustedOs, TrustedOs),
        }
        .Where(entry => entry.Item3 is not null)
        .Select(entry => (entry.Item1, entry.Item2, entry.Item3!));
}

/// <summary>The answers to Call UID and Revision of one owner.</summary>
public sealed record OwnerSetting
{
    public Guid? Uid { get; init; }

    /// <summary>Major and minor.</summary>
    public Version? Revision { get; init; }
}

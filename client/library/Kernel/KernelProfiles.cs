using Hypercalls.Protos;

namespace Hypercalls.Client.Kernel;

/// <summary>Kernel registers of hosts that one does not have, by name: measured on real kernels, with the firmware registers at their defaults.</summary>
public static class KernelProfiles
{
    private const uint Psci11 = 0x0001_0001;
    private const uint Psci13 = 0x0001_0003;

    private static readonly KvmFirmware s_linux6Dot1 = new() { PsciVersion = Psci11, StdBitmap = 1, StdHypBitmap = 1, VendorHypBitmap = 3 };
    private static readonly KvmFirmware s_linux6Dot12 = s_linux6Dot1 with { HasFilter = true };
    private static readonly KvmFirmware s_linux7Dot2 = s_linux6Dot12 with { PsciVersion = Psci13 };

    /// <summary>The kernels by their names.</summary>
    public static IReadOnlyDictionary<string, KvmFirmware> Kernels { get; } = new SortedDictionary<string, KvmFirmware>(StringComparer.Ordinal)
    {
        ["linux-6.1-defaults"] = s_linux6Dot1,
        ["linux-6.12-defaults"] = s_linux6Dot12,
        ["linux-6.12-forward-all"] = s_linux6Dot12 with { Filter = ForwardRanges.All },
        ["linux-7.2-defaults"] = s_linux7Dot2,
        ["linux-7.2-forward-all"] = s_linux7Dot2 with { Filter = ForwardRanges.All },
    };

    /// <summary>The register of a profile.</summary>
    /// <param name="name">One of <see cref="Kernels"/>.</param>
    /// <returns>What its host would report as Ready; null where there is no such profile.</returns>
    public static Ready? Find(string name) => Kernels.TryGetValue(name, out var firmware) ? KvmRegister.Of(firmware) : null;
}

using System.Globalization;
using Hypercalls.Protos;

namespace Hypercalls.Client.Kernel;

/// <summary>What it depends on whether KVM answers a call. A closed family.</summary>
internal abstract record KvmGate
{
    private KvmGate()
    {
    }

    /// <summary>The verdict for a kernel; the last argument is true for an SMC64 identifier from AArch32 state.</summary>
    public abstract KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign);

    public sealed record Always : KvmGate
    {
        public override KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign) => new(Disposition.Kernel, "always");
    }

    /// <summary>The workarounds: a few instructions at the entry of EL2, which look at HVC alone and at no register.</summary>
    public sealed record AlwaysByHvc : KvmGate
    {
        public override KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign) => conduit == Conduit.Hvc
            ? new(Disposition.Kernel, "always, by HVC")
            : new(Disposition.Unserved, "answered by HVC alone");
    }

    /// <summary>PSCI of a version. Its code is what refuses SMC64 identifiers from AArch32.</summary>
    public sealed record Psci(uint Since) : KvmGate
    {
        public override KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign) =>
            !firmware.HasPsci02 ? new(Disposition.ClaimedButUnserved, "the vCPUs lack the feature PSCI_0_2")
            : firmware.PsciVersion < Since ? new(Disposition.ClaimedButUnserved, $"PSCI version register: {Text(firmware.PsciVersion)} has no such function")
            : isForeign ? new(Disposition.ClaimedButUnserved, "SMC64 from AArch32 state")
            : new(Disposition.Kernel, $"PSCI version register: {Text(firmware.PsciVersion)}");

        private static string Text(uint version) => string.Create(CultureInfo.InvariantCulture, $"{version >> 16}.{version & 0xFFFF}");
    }

    /// <summary>As PSCI of a version, where the capability is enabled.</summary>
    public sealed record SystemSuspend(uint Since) : KvmGate
    {
        public override KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign) =>
            new Psci(Since).Decide(firmware, conduit, isForeign) is var psci && psci.Disposition != Disposition.Kernel ? psci
            : firmware.HasSystemSuspend ? new(Disposition.Kernel, "KVM_CAP_ARM_SYSTEM_SUSPEND")
            : new(Disposition.ClaimedButUnserved, "KVM_CAP_ARM_SYSTEM_SUSPEND is not enabled");
    }

    /// <summary>PSCI 0.1, which is there where the newer one is not.</summary>
    public sealed record Psci01 : KvmGate
    {
        public override KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign) => firmware.HasPsci02
            ? new(Disposition.ClaimedButUnserved, "the vCPUs have the feature PSCI_0_2")
            : new(Disposition.Kernel, "PSCI 0.1: the vCPUs lack the feature PSCI_0_2");
    }

    /// <summary>A bit of a firmware bitmap register.</summary>
    public sealed record Bitmap(string Register, int Bit) : KvmGate
    {
        public override KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign)
        {
            var bitmap = Register switch
            {
                "STD_BMAP" => firmware.StdBitmap,
                "STD_HYP_BMAP" => firmware.StdHypBitmap,
                _ => firmware.VendorHypBitmap,
            };
            return (bitmap >> Bit & 1) != 0
                ? new(Disposition.Kernel, $"{Register} bit {Bit}")
                : new(Disposition.Denied, $"{Register} bit {Bit} is clear");
        }
    }

    /// <summary>Stolen time: a bit of a bitmap, and an address that the host has set.</summary>
    public sealed record PvTime : KvmGate
    {
        public override KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign) =>
            new Bitmap("STD_HYP_BMAP", 0).Decide(firmware, conduit, isForeign) is var bitmap && (bitmap.Disposition != Disposition.Kernel || firmware.HasStolenTime)
                ? bitmap
                : new(Disposition.ClaimedButUnserved, "no address for stolen time is set");
    }

    /// <summary>Taken by the kernel's PSCI, which has no such function.</summary>
    public sealed record Claimed : KvmGate
    {
        public override KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, bool isForeign) =>
            new(Disposition.ClaimedButUnserved, "taken by the kernel's PSCI");
    }
}

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>The unmodified kernels that guests boot, each with its initial RAM file system: those of Debian 12's installer.</summary>
internal static class DebianKernels
{
    public const string Arm64 = $"{Images}/arm64/text/debian-installer/arm64/linux";
    public const string Arm64Initrd = $"{Images}/arm64/text/debian-installer/arm64/initrd.gz";
    public const string Armhf = $"{Images}/armhf/text/debian-installer/armhf/vmlinuz";
    public const string ArmhfInitrd = $"{Images}/armhf/text/debian-installer/armhf/initrd.gz";

    private const string Images = "/usr/lib/debian-installer/images/12";
}

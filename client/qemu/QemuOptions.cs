using Hypercalls.Hosts;

namespace Hypercalls.Qemu;

/// <summary>What machine to make and what to run in it: 1 to 16 cores at EL1 or EL2.</summary>
public sealed record QemuOptions : HostOptions
{
    /// <summary>QEMU's machine type: virt, or one of its versions.</summary>
    public string Machine { get; init; } = "virt";

    /// <summary>QEMU's CPU model, one with AArch64.</summary>
    public string Cpu { get; init; } = "cortex-a57";

    public string QemuPath { get; init; } = "qemu-system-aarch64";

    /// <summary>Further arguments for QEMU: drives, network.</summary>
    public IReadOnlyList<string> ExtraArguments { get; init; } = [];

    /// <summary>The owner's own words, kept with the run for whoever takes it over when this process is killed. Others may not read them; secrets they should not be.</summary>
    public IReadOnlyDictionary<string, string> Kept { get; init; } = new Dictionary<string, string>();
}

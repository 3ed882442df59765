namespace Hypercalls.Tests;

/// <summary>A fact that needs programs of the machine: skipped, with the remedy, where one is missing from PATH.</summary>
public sealed class NeedsFactAttribute : FactAttribute
{
    public NeedsFactAttribute(params string[] tools)
    {
        Skip = Needs.Missing(tools);
    }
}

/// <summary>A theory that needs programs of the machine: skipped, with the remedy, where one is missing from PATH.</summary>
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    public NeedsTheoryAttribute(params string[] tools)
    {
        Skip = Needs.Missing(tools);
    }
}

internal static class Needs
{
    /// <summary>Null when all are there; a name with a slash is a file.</summary>
    public static string? Missing(string[] tools) =>
        Array.Find(tools, tool => !IsThere(tool)) is { } missing ? $"needs {missing}: apt-get install {PackageOf(missing)}" : null;

    private static bool IsThere(string tool) =>
        tool.Contains('/', StringComparison.Ordinal)
            ? File.Exists(tool)
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, tool)));

    private static string PackageOf(string tool) => tool switch
    {
        "qemu-system-aarch64" => "qemu-system-arm",
        "aarch64-linux-gnu-gcc" => "gcc-aarch64-linux-gnu",
        "aarch64-linux-gnu-objcopy" => "binutils-aarch64-linux-gnu",
        _ when tool.Contains("debian-installer", StringComparison.Ordinal) => "debian-installer-12-netboot-arm64",
        _ => tool,
    };
}

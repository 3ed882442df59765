namespace Hypercalls.Tests;

/// <summary>A fact about tools that a machine may not have: skipped, with the reason, where one of them is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsFactAttribute : FactAttribute
{
    /// <param name="needs">Programs to be found on the PATH, or absolute paths of files.</param>
    public NeedsFactAttribute(params string[] needs) => Skip = Needs.Missing(needs)!;
}

/// <summary>A fact that acts as another user, which only root can: skipped, with the reason, for others.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    /// <param name="needs">Programs to be found on the PATH, or absolute paths of files.</param>
    public RootFactAttribute(params string[] needs) => Skip = Environment.UserName == "root" ? Needs.Missing(needs)! : "Only root can act as another user.";
}

/// <summary>A theory about tools that a machine may not have: skipped, with the reason, where one of them is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NeedsTheoryAttribute : TheoryAttribute
{
    /// <param name="needs">Programs to be found on the PATH, or absolute paths of files.</param>
    public NeedsTheoryAttribute(params string[] needs) => Skip = Needs.Missing(needs)!;
}

/// <summary>Looks for tools.</summary>
public static class Needs
{
    /// <summary>The reason to skip a test, null where everything is there.</summary>
    public static string? Missing(params string[] needs)
    {
        var missing = needs.Where(need => Find(need) is null).ToArray();
        return missing.Length == 0 ? null : $"This machine lacks {string.Join(" and ", missing)}: apt-get install {string.Join(' ', missing.Select(PackageOf).Distinct())}";
    }

    /// <summary>Where the tool is, null where it is not.</summary>
    public static string? Find(string need) =>
        Path.IsPathRooted(need)
            ? File.Exists(need) ? need : null
            : (Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Select(folder => Path.Combine(folder, need))
                .FirstOrDefault(File.Exists);

    private static string PackageOf(string need) => need switch
    {
        "qemu-system-aarch64" => "qemu-system-arm",
        "aarch64-linux-gnu-gcc" => "gcc-aarch64-linux-gnu",
        "arm-linux-gnueabihf-gcc" => "gcc-arm-linux-gnueabihf",
        "aarch64-linux-gnu-as" or "aarch64-linux-gnu-ld" or "aarch64-linux-gnu-objcopy" => "binutils-aarch64-linux-gnu",
        "protoc" => "protobuf-compiler",
        "grpc_python_plugin" => "protobuf-compiler-grpc",
        "/usr/aarch64-linux-gnu/lib/libc.a" => "libc6-dev-arm64-cross",
        _ when need.Contains("debian-installer", StringComparison.Ordinal) && need.Contains("armhf", StringComparison.Ordinal) => "debian-installer-12-netboot-armhf",
        _ when need.Contains("debian-installer", StringComparison.Ordinal) => "debian-installer-12-netboot-arm64",
        _ when need.Contains("python", StringComparison.Ordinal) => "python3-grpcio",
        _ when Path.IsPathRooted(need) => $"the package of {need}",
        _ => need,
    };
}

namespace Hypercalls.RealKernels;

/// <summary>A kernel that fetch.sh has brought, or the reason why not.</summary>
/// <param name="Role">"6.1", "6.12" or "7.x".</param>
public sealed record RealKernel(string Role)
{
    public static RealKernel Debian12 { get; } = new("6.1");

    public static RealKernel Debian13 { get; } = new("6.12");

    public static RealKernel Newest { get; } = new("7.x");

    public string Folder => Path.Combine(Cache, Role);

    public string Image => Path.Combine(Folder, "Image");

    /// <summary>What it needs beyond itself, if anything.</summary>
    public string Modules => Path.Combine(Folder, "modules");

    /// <summary>Null where it is there.</summary>
    public string? Missing
    {
        get
        {
            var why = Path.Combine(Folder, "why");
            return File.Exists(Image) ? null
                : File.Exists(why) ? $"Linux {Role} cannot be had: {File.ReadAllText(why).Trim()}"
                : $"Linux {Role} is not in {Cache}: tests/kernels/fetch.sh brings it.";
        }
    }

    private static string Cache =>
        Environment.GetEnvironmentVariable("HYPERCALLS_KERNELS") is { Length: > 0 } folder ? folder : Path.Combine(UserCache, "hypercalls", "kernels");

    private static string UserCache =>
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } folder ? folder : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
}

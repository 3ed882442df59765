using System.Diagnostics;

namespace Hypercalls.Cli.Templates;

/// <summary>The packages that services are built on: their folder and the version to take.</summary>
internal sealed record PackageFeed(string Folder, string Version)
{
    /// <summary>HYPERCALLS_PACKAGES, else beside the tool, else where a checkout packs them, which it does first where something has changed.</summary>
    /// <exception cref="CliException">There are none.</exception>
    public static async Task<PackageFeed> FindAsync(CancellationToken cancelled)
    {
        var root = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", ".."));
        var folder = Environment.GetEnvironmentVariable("HYPERCALLS_PACKAGES") is { Length: > 0 } named ? Path.GetFullPath(named) : Path.Combine(AppContext.BaseDirectory, "packages");
        if (Read(folder) is { } feed)
        {
            return feed;
        }

        var script = Path.Combine(root, "pack.sh");
        if (!File.Exists(script))
        {
            throw new CliException($"{folder} holds no packages to build a service on. Name their folder in HYPERCALLS_PACKAGES: ./pack.sh of a checkout makes it, artifacts/packages.");
        }

        await PackAsync(script, cancelled);
        return Read(Path.Combine(root, "artifacts", "packages")) ?? throw new CliException($"{script} has packed nothing.");
    }

    /// <summary>The package of the template.</summary>
    public string Template => Path.Combine(Folder, $"Hypercalls.Templates.{Version}.nupkg");

    private static PackageFeed? Read(string folder)
    {
        var version = Path.Combine(folder, "version");
        return File.Exists(version) && new PackageFeed(folder, File.ReadAllText(version).Trim()) is var feed && File.Exists(feed.Template) ? feed : null;
    }

    private static async Task PackAsync(string script, CancellationToken cancelled)
    {
        using var packing = Process.Start(new ProcessStartInfo("bash", [script])) ?? throw new CliException($"{script} could not be started.");
        try
        {
            await packing.WaitForExitAsync(cancelled);
        }
        catch (OperationCanceledException)
        {
            packing.Kill(entireProcessTree: true);
            throw;
        }

        if (packing.ExitCode != 0)
        {
            throw new CliException($"The packages could not be made: {script} says why.");
        }
    }
}

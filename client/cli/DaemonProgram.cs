using System.Diagnostics;

namespace Hypercalls.Cli;

/// <summary>The daemon's own executable, started as another process: the tool sees nothing of it but the wire.</summary>
internal static class DaemonProgram
{
    private const string Name = "hypercalls-daemon.dll";

    /// <summary>HYPERCALLS_DAEMON_PATH, else beside the tool, else where a checkout builds it.</summary>
    public static string Find()
    {
        string?[] places =
        [
            Environment.GetEnvironmentVariable("HYPERCALLS_DAEMON_PATH"),
            Path.Combine(AppContext.BaseDirectory, Name),
            Path.Combine(AppContext.BaseDirectory, "..", "..", "Hypercalls.Daemon", "release", Name),
        ];
        return places.FirstOrDefault(File.Exists) is { } path
            ? Path.GetFullPath(path)
            : throw new CliException($"{Name} is not beside the tool. Build the checkout, or name it in HYPERCALLS_DAEMON_PATH.");
    }

    /// <summary>The plugins that it has by default: beside it where it was installed; in a checkout, where the build puts plugins.</summary>
    public static string StandardPlugins()
    {
        var folder = Path.GetDirectoryName(Find())!;
        var installed = Path.Combine(folder, "plugins");
        return Directory.Exists(installed) ? installed : Path.GetFullPath(Path.Combine(folder, "..", "..", "..", "plugins"));
    }

    public static ProcessStartInfo Start(params IEnumerable<string> arguments) => new(DotnetHost(), [Find(), .. arguments]);

    /// <summary>The dotnet that runs this tool.</summary>
    public static string DotnetHost() =>
        Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self
        : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host
        : "dotnet";
}

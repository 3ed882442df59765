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

    public static ProcessStartInfo Start(params IEnumerable<string> arguments) => new(Host(), [Find(), .. arguments]);

    /// <summary>The dotnet that runs this tool.</summary>
    private static string Host() =>
        Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self
        : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host
        : "dotnet";
}

using System.Diagnostics;

namespace Hypercalls.Bench.Processes;

/// <summary>What a build has put where.</summary>
internal static class Built
{
    public static string Artifacts { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", ".."));

    /// <summary>The checkout.</summary>
    public static string Root => Path.GetDirectoryName(Artifacts)!;

    public static string Plugins => Path.Combine(Artifacts, "plugins");

    public static string Bench => Path.Combine(AppContext.BaseDirectory, "hypercalls-bench.dll");

    private static string Daemon => Path.Combine(Artifacts, "bin", "Hypercalls.Daemon", "release", "hypercalls-daemon.dll");

    private static string Tool => Path.Combine(Artifacts, "bin", "Hypercalls.Cli", "release", "hypercalls.dll");

    public static ProcessStartInfo StartDaemon(params IEnumerable<string> arguments) => Start(Daemon, arguments);

    public static ProcessStartInfo StartTool(params IEnumerable<string> arguments) => Start(Tool, arguments);

    public static ProcessStartInfo StartBench(params IEnumerable<string> arguments) => Start(Bench, arguments);

    /// <summary>Runs to its end.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="BenchException">It failed.</exception>
    public static string Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        using var process = Process.Start(start) ?? throw new BenchException($"{start.FileName} could not be started.");
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new BenchException($"{Path.GetFileName(start.FileName)} {start.ArgumentList.FirstOrDefault()} ended with {process.ExitCode}: {errors.Result.Trim()} {output.Trim()}".TrimEnd());
    }

    private static ProcessStartInfo Start(string program, IEnumerable<string> arguments)
    {
        if (!File.Exists(program))
        {
            throw new BenchException($"{program} is not there. Build it: ./bench.sh does.");
        }

        var start = new ProcessStartInfo(Host, [program, .. arguments]);
        // What this shell is set to must not change what is measured.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("HYPERCALLS_", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }

        return start;
    }

    private static string Host =>
        Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self
        : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } host ? host
        : "dotnet";
}

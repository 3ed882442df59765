namespace Hypercalls.Bench;

/// <summary>The machine that measures.</summary>
internal static class Machine
{
    public static string Processor { get; } = File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";

    /// <summary>Of all that runs here, over the last minute (proc(5), loadavg).</summary>
    public static string Load => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    public static string Describe() => $"{Environment.ProcessorCount} cores, {Processor}, load {Load} before the run, .NET {Environment.Version}";
}

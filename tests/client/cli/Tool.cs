using System.Diagnostics;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>The hypercalls tool, run as people run it: a process, its output, its exit code.</summary>
internal sealed record Tool(int ExitCode, string Output, string Errors)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static string Path { get; } = System.IO.Path.Combine(TestDaemon.Artifacts, "bin", "Hypercalls.Cli", "release", "hypercalls.dll");

    /// <summary>Runs to its end.</summary>
    public static async Task<Tool> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        return new(process.ExitCode, await output, await errors);
    }

    /// <summary>Starts it; the caller ends it.</summary>
    public static Process Start(params string[] arguments) => Start(null, arguments);

    /// <summary>Starts it with a folder for its runs; the caller ends it.</summary>
    public static Process Start(string? runs, string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("HYPERCALLS_DAEMON");
        start.Environment.Remove("HYPERCALLS_TLS");
        // A service that the tool builds leaves no compiler behind.
        start.Environment["UseSharedCompilation"] = "false";
        if (runs is not null)
        {
            start.Environment.Remove("XDG_RUNTIME_DIR");
            start.Environment["TMPDIR"] = runs;
        }

        return Process.Start(start)!;
    }
}

using System.Diagnostics;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>The .NET SDK as a stranger runs it: from a folder of theirs, without what this test run has set.</summary>
internal static class Dotnet
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs to its end.</summary>
    /// <param name="folder">The current one.</param>
    /// <param name="home">Where the SDK keeps what belongs to the user, templates above all; null for this user's own.</param>
    /// <param name="arguments">Such as test.</param>
    /// <returns>The exit code and all that was printed.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string folder, string? home, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var set in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || key.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(set);
        }

        if (home is not null)
        {
            start.Environment["DOTNET_CLI_HOME"] = home;
        }

        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        // No server is left behind.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }

        return (process.ExitCode, await output + await errors);
    }
}

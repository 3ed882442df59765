using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>The guests of tests/Guest, built once for all tests that share it.</summary>
public sealed class GuestImages : IDisposable
{
    private readonly Lazy<string> _folder = new(() => Run("tests/Guest/build.sh"));
    private readonly Lazy<string> _folder32 = new(() => Run("tests/Guest/AArch32/build.sh"));

    public string this[string name] => Path.Combine(_folder.Value, $"{name}.bin");

    public string AArch32(string name) => Path.Combine(_folder32.Value, $"{name}.bin");

    public void Dispose()
    {
        foreach (var folder in new[] { _folder, _folder32 }.Where(folder => folder.IsValueCreated))
        {
            Directory.Delete(folder.Value, recursive: true);
        }
    }

    /// <summary>A file of the repository, from its root.</summary>
    public static string Source(string path) => Path.Combine(Root(), path);

    /// <summary>Runs a build script on a folder of its own and gives back the folder.</summary>
    public static string Run(string script)
    {
        var folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
        using var process = Process.Start(new ProcessStartInfo("sh", [Source(script), folder]) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? folder : throw new InvalidOperationException($"{script}: {errors}");
    }

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));
}

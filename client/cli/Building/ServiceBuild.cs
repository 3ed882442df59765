using System.Diagnostics;
using System.Text.Json;

namespace Hypercalls.Cli.Building;

/// <summary>Builds a service's project, in one run of MSBuild that also says where the plugin lies.</summary>
internal static class ServiceBuild
{
    private const string Folder = "TargetDir";
    private const string Name = "HypercallPlugin";

    /// <summary>The plugin's folder, and the name that it goes by among plugins.</summary>
    /// <exception cref="CliException">It does not build: with the lines of the compiler; or it builds no plugin.</exception>
    public static async Task<(string Folder, string Name)> RunAsync(string project, CancellationToken cancelled)
    {
        string[] arguments =
        [
            "build", project, "-c", "Release", "-v:q", "-nologo", "-m:1", "-nodeReuse:false", "-t:Build", $"-getProperty:{Folder}", $"-getProperty:{Name}",
            .. IsRestored(project) ? ["--no-restore"] : Array.Empty<string>(),
        ];
        using var build = Process.Start(new ProcessStartInfo(DaemonProgram.DotnetHost(), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new CliException("dotnet could not be started.");
        build.StandardInput.Close();
        using var stopping = cancelled.Register(() => build.Kill(entireProcessTree: true));
        var output = build.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = build.StandardError.ReadToEndAsync(CancellationToken.None);
        await build.WaitForExitAsync(CancellationToken.None);
        cancelled.ThrowIfCancellationRequested();
        if (build.ExitCode != 0)
        {
            throw new CliException(Errors(project, await errors + await output));
        }

        var (folder, name) = Built(await output);
        return Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.deps.json").Any()
            ? (folder, name.Length > 0 ? name : Path.GetFileNameWithoutExtension(project))
            : throw new CliException($"{project} builds no plugin: there is no .deps.json beside what it builds. Set <EnableDynamicLoading>true</EnableDynamicLoading> in it.");
    }

    /// <summary>The packages are known, and nothing that names them has changed since.</summary>
    private static bool IsRestored(string project)
    {
        const string Assets = "project.assets.json";
        var folders = new List<string>();
        for (var folder = Path.GetDirectoryName(project); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            folders.Add(folder);
        }

        var assets = folders
            .Select(folder => Path.Combine(folder, "artifacts", "obj", Path.GetFileNameWithoutExtension(project), Assets))
            .Prepend(Path.Combine(folders[0], "obj", Assets))
            .FirstOrDefault(File.Exists);
        string[] names = ["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "nuget.config", "NuGet.config", "NuGet.Config", "global.json"];
        return assets is not null
            && folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).Append(project)
                .All(file => !File.Exists(file) || File.GetLastWriteTimeUtc(file) < File.GetLastWriteTimeUtc(assets));
    }

    private static (string Folder, string Name) Built(string output)
    {
        try
        {
            var properties = JsonDocument.Parse(output).RootElement.GetProperty("Properties");
            return (properties.GetProperty(Folder).GetString() ?? "", properties.GetProperty(Name).GetString() ?? "");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CliException($"dotnet build does not say where it has built to, but: {output.Trim()}");
        }
    }

    /// <summary>The lines of the errors alone, with paths as they are from here; everything where there are none.</summary>
    private static string Errors(string project, string said)
    {
        var here = Directory.GetCurrentDirectory() + Path.DirectorySeparatorChar;
        var suffix = $" [{project}";
        string[] errors = [.. said.Split('\n', StringSplitOptions.TrimEntries)
            .Where(line => line.Contains(": error ", StringComparison.Ordinal))
            .Select(line => line.IndexOf(suffix, StringComparison.Ordinal) is var end and > 0 ? line[..end] : line)
            .Select(line => line.StartsWith(here, StringComparison.Ordinal) ? line[here.Length..] : line)
            .Distinct()];
        return errors.Length > 0 ? string.Join('\n', errors) : $"{project} does not build: {said.Trim()}";
    }
}

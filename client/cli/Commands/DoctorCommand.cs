using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using Hypercalls.Cli.Output;
using Hypercalls.Grpc;
using Hypercalls.Kvm;
using Hypercalls.Qemu;
using Spectre.Console;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls doctor: what this machine has, a line each, with the remedy for what it lacks.</summary>
internal static class DoctorCommand
{
    private const string DebianKernel = "/usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64/linux";

    private enum Verdict
    {
        Good,
        Absent,
        Bad,
    }

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "The findings as JSON." };
        var command = new Command("doctor", "Look at SDK, QEMU, kernel, socket, plugins, KVM and runs: a line each, with the remedy.") { json };
        var daemon = DaemonAddress.AddTo(command);
        command.SetAction(parsed =>
        {
            Finding[] findings = [Sdk(), Emulator(), Kernel(), Socket(daemon.Of(parsed)), Plugins(), Kvm(), Runs()];
            if (parsed.GetValue(json))
            {
                Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(findings.Select(finding => new
                {
                    what = finding.What,
                    verdict = finding.Verdict.ToString(),
                    detail = finding.Detail,
                })));
            }
            else
            {
                Show(findings);
            }

            return findings.Any(finding => finding.Verdict == Verdict.Bad) ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    private static void Show(Finding[] findings)
    {
        foreach (var finding in findings)
        {
            var (mark, colour) = finding.Verdict switch
            {
                Verdict.Good => ("ok    ", "green"),
                Verdict.Absent => ("absent", "yellow"),
                _ => ("bad   ", "red"),
            };
            Terminal.Out.MarkupLine($"[{colour}]{mark}[/]  {finding.What,-8} {Markup.Escape(finding.Detail)}");
        }
    }

    private static Finding Sdk() => Output("dotnet", "--version") is { } version
        ? new("SDK", Verdict.Good, $".NET SDK {version.Trim()}")
        : new("SDK", Verdict.Bad, "no .NET SDK on the path: install the .NET 10 SDK.");

    private static Finding Emulator() => Output("qemu-system-aarch64", "--version") is { } version
        ? new("QEMU", Verdict.Good, version.Split('\n')[0])
        : new("QEMU", Verdict.Bad, "no qemu-system-aarch64: apt-get install qemu-system-arm");

    private static Finding Kernel() => File.Exists(DebianKernel)
        ? new("kernel", Verdict.Good, DebianKernel)
        : new("kernel", Verdict.Absent, "Debian's arm64 kernel is not installed: apt-get install debian-installer-12-netboot-arm64, or give run your own with --kernel.");

    private static Finding Socket(GrpcAddress address)
    {
        try
        {
            return DaemonAddress.IsAnswering(address)
                ? new("socket", Verdict.Good, $"a daemon answers at {address}")
                : new("socket", Verdict.Absent, $"no daemon answers at {address}: run starts a private one, `hypercalls daemon` one for all.");
        }
        catch (CliException e)
        {
            return new("socket", Verdict.Bad, e.Message);
        }
    }

    private static Finding Plugins()
    {
        string daemon;
        try
        {
            daemon = DaemonProgram.Find();
        }
        catch (CliException e)
        {
            return new("plugins", Verdict.Bad, e.Message);
        }

        var beside = Path.Combine(Path.GetDirectoryName(daemon)!, "plugins");
        var folder = Directory.Exists(beside) ? beside : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(daemon)!, "..", "..", "..", "plugins"));
        return Directory.Exists(folder)
            ? new("plugins", Verdict.Good, $"{folder}: {string.Join(", ", Directory.EnumerateDirectories(folder).Select(Path.GetFileName).Order())}")
            : new("plugins", Verdict.Bad, $"{folder} does not exist: build the solution.");
    }

    private static Finding Kvm()
    {
        var (runs, detail) = KvmMachine.Probe();
        return runs ? new("KVM", Verdict.Good, detail) : new("KVM", Verdict.Absent, $"{detail} Without it guests run in QEMU's emulation.");
    }

    private static Finding Runs()
    {
        var runs = QemuRun.All();
        foreach (var run in runs)
        {
            run.Dispose();
        }

        return runs.Count == 0
            ? new("runs", Verdict.Good, "no QEMU runs without its host.")
            : new("runs", Verdict.Absent, $"{string.Join(", ", runs.Select(run => run.Folder))}: QEMU runs and its host is gone. Take it over: hypercalls run --attach {runs[0].Folder}; Ctrl-A x then ends it.");
    }

    private static string? Output(string program, string argument)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, [argument]) { RedirectStandardOutput = true, RedirectStandardError = true });
            var output = process?.StandardOutput.ReadToEnd();
            process?.WaitForExit();
            return process?.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private sealed record Finding(string What, Verdict Verdict, string Detail);
}

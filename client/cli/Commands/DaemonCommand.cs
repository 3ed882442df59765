using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Hypercalls.Cli.Running;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls daemon: the daemon in the foreground.</summary>
internal static class DaemonCommand
{
    public static Command Create()
    {
        var socket = new Option<string?>("--socket") { Description = "The local socket; by default in the user's runtime folder.", HelpName = "path" };
        var listen = new Option<string?>("--listen") { Description = "A TCP address beside the socket, such as 127.0.0.1:7433.", HelpName = "address" };
        var tls = new Option<string?>("--tls") { Description = "The folder with ca.pem, cert.pem and key.pem for --listen, as `hypercalls cert daemon` makes it: only clients with a certificate of that CA get in.", HelpName = "folder" };
        var plugins = new Option<string?>("--plugins") { Description = "The plugin folder; by default beside the daemon.", HelpName = "folder" };
        var keepGoing = new Option<bool>("--keep-going") { Description = "Start without services that do not load, refuse their settings or conflict with others; `hypercalls services` shows why." };
        var command = new Command("daemon", "Run the daemon in the foreground. Ctrl-C or SIGTERM stops it in order.") { socket, listen, tls, plugins, keepGoing };
        var settings = DaemonSettings.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            List<string> arguments = [.. settings.Arguments(parsed)];
            foreach (var option in (Option<string?>[])[socket, listen, tls, plugins])
            {
                if (parsed.GetValue(option) is { } value)
                {
                    arguments.AddRange([option.Name, value]);
                }
            }

            if (parsed.GetValue(keepGoing))
            {
                arguments.Add(keepGoing.Name);
            }

            using var process = Process.Start(DaemonProgram.Start(arguments)) ?? throw new CliException("The daemon could not be started.");
            // Signals to this process alone are passed on. The daemon ends, then this.
            using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Forward(signal, process));
            using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Forward(signal, process));
            using var hungUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Forward(signal, process));
            await process.WaitForExitAsync(CancellationToken.None);
            return process.ExitCode;
        });
        return command;
    }

    private static void Forward(PosixSignalContext signal, Process process)
    {
        signal.Cancel = true;
        Signals.Terminate(process);
    }
}

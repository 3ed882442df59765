using System.Diagnostics;
using System.Text;
using Hypercalls.Qemu;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>One run of a guest from start to end, with the responder of these tests.</summary>
internal sealed record GuestRun(MachineEnd End, string Console, QemuBoot Boot, Responder Responder, IReadOnlyList<string> Log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Runs the guest; a machine that does not end in a time no working one needs is stopped.</summary>
    public static GuestRun Of(QemuOptions options, Action<QemuMachine>? meanwhile = null, bool forgets = false)
    {
        var output = new MemoryStream();
        var log = new List<string>();
        using var machine = QemuMachine.Start(options with
        {
            Console = Stream.Synchronized(output),
            Log = remark =>
            {
                lock (log)
                {
                    log.Add(remark);
                }
            },
        });
        using var watchdog = new Timer(_ => machine.Stop(), null, Patience, Timeout.InfiniteTimeSpan);
        var boot = machine.WaitForBoot();
        var responder = new Responder(machine, boot) { Forgets = forgets };
        meanwhile?.Invoke(machine);
        var end = machine.Run(boot, responder.For, responder);
        return new(end, Encoding.UTF8.GetString(output.ToArray()).ReplaceLineEndings("\n"), boot, responder, log);
    }

    public static string Build(string script, string folder)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", [script, folder]) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? folder : throw new InvalidOperationException(errors);
    }
}

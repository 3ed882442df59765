using System.Text;
using Hypercalls.Hosts;
using Hypercalls.Qemu;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>One run of a guest from start to end, with the responder of these tests.</summary>
internal sealed record GuestRun(MachineEnd End, string Console, MachineBoot Boot, Responder Responder, IReadOnlyList<string> Log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Runs the guest, with something beside it that sees its console; a machine that does not end in a time no working one needs is stopped.</summary>
    public static GuestRun Of(QemuOptions options, Action<IGuestMachine, Func<string>>? meanwhile = null, bool forgets = false) =>
        Of(options, with => QemuMachine.Start((QemuOptions)with), meanwhile, forgets);

    /// <summary>The same on a machine of any host.</summary>
    public static GuestRun Of(HostOptions options, Func<HostOptions, IGuestMachine> start, Action<IGuestMachine, Func<string>>? meanwhile = null, bool forgets = false)
    {
        using var output = new Capture();
        var log = new List<string>();
        using var machine = start(options with
        {
            Console = output,
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
        meanwhile?.Invoke(machine, output.Text);
        var end = machine.Run(boot, Responder.DeviceTree, responder.For, responder);
        return new(end, output.Text(), boot, responder, log);
    }

    /// <summary>A console that can be read while the guest prints.</summary>
    private sealed class Capture : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            lock (this)
            {
                base.Write(buffer);
            }
        }

        public string Text()
        {
            lock (this)
            {
                return Encoding.UTF8.GetString(ToArray()).ReplaceLineEndings("\n");
            }
        }
    }
}

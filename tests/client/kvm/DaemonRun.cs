using System.Text;
using Hypercalls.Cli.Running;
using Hypercalls.Client;
using Hypercalls.Kvm;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>One guest on a real kernel's KVM, as `hypercalls run` runs it, with a real daemon.</summary>
internal sealed record DaemonRun(int ExitCode, string Output, string Calls)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>Runs it to its end. Whenever the guest asks, it gets the next of these answers.</summary>
    public static async Task<DaemonRun> OfAsync(TestDaemon daemon, RealMachine kernel, KvmOptions options, params string[] answers)
    {
        using var console = new Conversation(answers);
        using var terminal = new SharedTerminal(console, isRedirected: true);
        KvmMachine Start() => console.Machine = KvmMachine.Start(options with { Console = terminal, Log = terminal.WriteLine }, new RemoteKernel(kernel));
        using var guest = new GuestRun(
            daemon.Invoker, Start, $"kvm-{Guid.NewGuid():N}", terminal, watches: true, showCalls: false, allowShadowed: true, new HostRules { Log = terminal.WriteLine })
        { TakesKeyboard = false };
        using var patience = new CancellationTokenSource(Patience);
        var exitCode = await guest.RunAsync(patience.Token);
        terminal.ShowAll();
        var table = new StringWriter();
        var report = Spectre.Console.AnsiConsole.Create(new() { Ansi = Spectre.Console.AnsiSupport.No, Out = new Spectre.Console.AnsiConsoleOutput(table) });
        report.Profile.Width = 200;
        report.Write(guest.Table());
        return new(exitCode, console.Text(), table.ToString());
    }

    /// <summary>Lines that the guest's own code said.</summary>
    public string[] Said => [.. Output.Split('\n').Where(line => line.StartsWith("guest: ", StringComparison.Ordinal))];

    /// <summary>Reads what the guest prints and types the answers.</summary>
    private sealed class Conversation(IEnumerable<string> answers) : MemoryStream
    {
        private readonly Queue<string> _answers = new(answers);
        private int _asked;

        public KvmMachine? Machine { get; set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            lock (this)
            {
                base.Write(buffer);
                var asked = Text().Split("guest: asks\n").Length - 1;
                for (; _asked < asked; _asked++)
                {
                    Machine!.WriteConsole(Encoding.UTF8.GetBytes(_answers.Dequeue() + "\n"));
                }
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

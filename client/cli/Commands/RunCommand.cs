using System.CommandLine;
using Hypercalls.Cli.Output;
using Hypercalls.Cli.Running;
using Hypercalls.Grpc;
using Hypercalls.Protos.Tls;
using Hypercalls.Qemu;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls run: a guest in QEMU whose calls the daemon answers.</summary>
internal static class RunCommand
{
    private const int MostCores = 16;

    public static Command Create()
    {
        var kernel = new Option<string?>("--kernel") { Description = "An arm64 Linux Image, gzip-compressed or not, or an AArch32 zImage.", HelpName = "file" };
        var initrd = new Option<string?>("--initrd") { Description = "An initial RAM file system.", HelpName = "file" };
        var script = new Option<string?>("--init-script") { Description = "A shell script put into the initial RAM file system as /init-script; boot it with rdinit=/init-script.", HelpName = "file" };
        var append = new Option<string>("--append") { Description = "The kernel's command line.", HelpName = "text", DefaultValueFactory = _ => "console=ttyAMA0" };
        var cores = new Option<int>("--cores") { Description = $"1 to {MostCores}.", HelpName = "n", DefaultValueFactory = _ => 2 };
        var el = new Option<uint>("--el") { Description = "The exception level the guest starts at: 1, or 2 with EL2 and HVC to itself.", HelpName = "1|2", DefaultValueFactory = _ => 1 };
        var cpu = new Option<string>("--cpu") { Description = "QEMU's CPU model, one with AArch64: max has all that QEMU knows.", HelpName = "model", DefaultValueFactory = _ => "cortex-a57" };
        var type = new Option<string>("--machine") { Description = "QEMU's machine type: virt or one of its versions.", HelpName = "type", DefaultValueFactory = _ => "virt" };
        var memory = new Option<int>("--memory") { Description = "MiB of RAM.", HelpName = "MiB", DefaultValueFactory = _ => 512 };
        var conduit = CallCommand.ConduitOption();
        conduit.Description = "What the device tree tells the guest to call PSCI with; both work at EL1, SMC alone at EL2.";
        var name = new Option<string?>("--name") { Description = "The machine's name; by default one of its own. With TLS it is, or begins with, the certificate's name: rack1/guest.", HelpName = "name" };
        var raw = new Option<bool>("--raw") { Description = "The kernel is bare-metal code whose first byte is its first instruction." };
        var aarch32 = new Option<bool>("--aarch32") { Description = "With --raw: it starts in AArch32." };
        var trace = new Option<bool>("--trace") { Description = "Show each call on a line as it happens." };
        var table = new Option<bool>("--table") { Description = "Show a table of the calls at the end." };
        var plugins = new Option<string?>("--plugins") { Description = "Plugin folder of the private daemon.", HelpName = "folder" };
        var qemu = new Option<string>("--qemu") { Description = "QEMU's executable.", HelpName = "file", DefaultValueFactory = _ => "qemu-system-aarch64" };
        var allowShadowed = new Option<bool>("--allow-shadowed") { Description = "Go on although the host's kernel keeps functions that a service insists on; what never arrives is listed by `hypercalls machines`." };
        cores.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > MostCores)
            {
                result.AddError($"--cores: a machine has 1 to {MostCores}.");
            }
        });
        el.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<uint>() is not (1 or 2))
            {
                result.AddError("--el: a guest starts at 1 or 2.");
            }
        });
        aarch32.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<bool>() && !result.GetValue(raw))
            {
                result.AddError("--aarch32: a kernel says itself what it starts in; this is for --raw.");
            }
        });
        var command = new Command("run", "Boot a guest in QEMU. Every SMC and HVC of it is answered by the daemon; a private one is started where none runs. Ctrl-A x quits.")
        {
            kernel, initrd, script, append, cores, el, cpu, type, memory, conduit, name, raw, aarch32, trace, table, plugins, qemu, allowShadowed,
        };
        var attach = AttachOption.AddTo(command, kernel, initrd, script, append, cores, el, cpu, type, memory, conduit, name, raw, aarch32, qemu, allowShadowed);
        var daemon = DaemonAddress.AddTo(command);
        var settings = DaemonSettings.AddTo(command, ", for the private daemon");
        var fallbacks = FallbackOptions.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            using var terminal = new SharedTerminal();
            using var run = attach.IsGiven(parsed) ? attach.Open(parsed) : null;
            var before = run is null ? null : KeptRun.Of(run);
            daemon.Remembered = (before?.Daemon, before?.Tls);
            fallbacks.Remembered = (before?.Fallbacks ?? [], before?.Retries);
            var kept = new KeptRun(before?.Name ?? "")
            {
                Plugins = (parsed.GetValue(plugins) ?? before?.Plugins) is { } folder ? Path.GetFullPath(folder) : null,
                Settings = settings.Arguments(parsed) is { Count: > 0 } arguments ? arguments : before?.Settings ?? [],
                Fallbacks = fallbacks.Given(parsed),
                Retries = fallbacks.GivenRetries(parsed),
                AllowShadowed = before?.AllowShadowed ?? parsed.GetValue(allowShadowed),
            };
            await using var own = await OwnDaemonAsync(daemon.Of(parsed), daemon.IsNamed(parsed), kept, terminal, cancelled);
            Party? party = null;
            using var channel = own is null ? daemon.Connect(parsed, out party) : HttpChannel.ForAddress(own.Address);
            var (address, tls) = own is null ? daemon.ToRemember(parsed) : default;
            kept = kept with { Name = before?.Name ?? parsed.GetValue(name) ?? DefaultName(party), Daemon = address, Tls = tls };
            QemuMachine Start() => run is not null ? QemuMachine.TakeOver(run, terminal, terminal.WriteLine) : QemuMachine.Start(new()
            {
                Kernel = parsed.GetValue(kernel)!,
                KernelIsRaw = parsed.GetValue(raw),
                KernelIsAArch32 = parsed.GetValue(aarch32),
                Initrd = parsed.GetValue(initrd),
                InitrdAppendix = parsed.GetValue(script) is { } file ? Script(file) : default,
                CommandLine = parsed.GetValue(append)!,
                Cores = parsed.GetValue(cores),
                ClientEl = parsed.GetValue(el),
                Cpu = parsed.GetValue(cpu)!,
                Machine = parsed.GetValue(type)!,
                MemoryMiB = parsed.GetValue(memory),
                Conduit = CallCommand.ConduitOf(parsed.GetValue(conduit)!),
                QemuPath = parsed.GetValue(qemu)!,
                Kept = kept.ToKept(),
                Console = terminal,
                Log = terminal.WriteLine,
            });
            var rules = await fallbacks.RulesAsync(parsed, channel.CreateCallInvoker(), cancelled) with
            {
                // A private daemon that is gone does not come back.
                Reconnects = own is null,
                Log = text => terminal.WriteLine(Printable.Line(text)),
            };
            using var guest = new GuestRun(channel.CreateCallInvoker(), Start, kept.Name, terminal, parsed.GetValue(trace) || parsed.GetValue(table), parsed.GetValue(trace), kept.AllowShadowed, rules);
            var exitCode = await guest.RunAsync(cancelled);
            if (parsed.GetValue(table))
            {
                terminal.ShowAll();
                Terminal.Out.Write(guest.Table());
            }

            return exitCode;
        });
        return command;
    }

    /// <summary>One that no other run has, and that a certificate is good for.</summary>
    private static string DefaultName(Party? party)
    {
        var name = $"qemu-{Environment.ProcessId}";
        return party is null ? name : $"{party.Name}{Party.Separator}{name}";
    }

    /// <summary>Null where a daemon was named or already listens.</summary>
    private static async Task<PrivateDaemon?> OwnDaemonAsync(
        GrpcAddress address, bool isNamed, KeptRun kept, SharedTerminal terminal, CancellationToken cancelled)
    {
        if (kept.Plugins is null && (isNamed || DaemonAddress.IsAnswering(address)))
        {
            return kept.Settings is not [var option, var value, ..]
                ? null
                : throw new CliException($"{option} {value} is for the private daemon that run starts where none listens; this run uses the one at {address}. Start that one with it: `hypercalls daemon {option} {value}`.", ExitCode.BadInput);
        }

        var own = await PrivateDaemon.StartAsync(kept.Plugins, kept.Settings, terminal.WriteLine, cancelled);
        terminal.WriteLine($"No daemon listens: a private one runs for this guest (process {own.ProcessId}, {own.Address}).");
        return own;
    }

    private static byte[] Script(string file)
    {
        try
        {
            var archive = new InitramfsArchive();
            archive.AddFile("init-script", 0b111_101_101, File.ReadAllBytes(file));
            return archive.ToGzip();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"--init-script {file}: {e.Message}", ExitCode.BadInput);
        }
    }
}

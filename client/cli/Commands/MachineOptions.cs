using System.CommandLine;
using Hypercalls.Cli.Running;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Loading;
using Hypercalls.Kvm;
using Hypercalls.Qemu;

namespace Hypercalls.Cli.Commands;

/// <summary>The options of run that say what machine to make and what to boot in it.</summary>
internal sealed class MachineOptions
{
    private const int MostCores = 16;

    private readonly Option<string?> _kernel = new("--kernel") { Description = "An arm64 Linux Image, gzip-compressed or not, or an AArch32 zImage.", HelpName = "file" };
    private readonly Option<string?> _initrd = new("--initrd") { Description = "An initial RAM file system.", HelpName = "file" };
    private readonly Option<string?> _script = new("--init-script") { Description = "A shell script put into the initial RAM file system as /init-script; boot it with rdinit=/init-script.", HelpName = "file" };
    private readonly Option<string> _append = new("--append") { Description = "The kernel's command line.", HelpName = "text", DefaultValueFactory = _ => "console=ttyAMA0" };
    private readonly Option<int?> _cores = new("--cores") { Description = $"1 to {MostCores}; by default 2, and 1 for --calls.", HelpName = "n" };
    private readonly Option<uint> _el = new("--el") { Description = "The exception level the guest starts at: 1, or 2 with EL2 and HVC to itself.", HelpName = "1|2", DefaultValueFactory = _ => 1 };
    private readonly Option<string> _cpu = new("--cpu") { Description = "QEMU's CPU model, one with AArch64: max has all that QEMU knows.", HelpName = "model", DefaultValueFactory = _ => "cortex-a57" };
    private readonly Option<string> _type = new("--machine") { Description = "QEMU's machine type: virt or one of its versions.", HelpName = "type", DefaultValueFactory = _ => "virt" };
    private readonly Option<int?> _memory = new("--memory") { Description = "MiB of RAM; by default 512, and 64 for --calls.", HelpName = "MiB" };
    private readonly Option<string> _conduit = CallCommand.ConduitOption();
    private readonly Option<bool> _raw = new("--raw") { Description = "The kernel is bare-metal code whose first byte is its first instruction." };
    private readonly Option<bool> _aarch32 = new("--aarch32") { Description = "With --raw: it starts in AArch32." };
    private readonly Option<string> _qemu = new("--qemu") { Description = "QEMU's executable.", HelpName = "file", DefaultValueFactory = _ => "qemu-system-aarch64" };

    private readonly AccelOptions _accel = new();

    private MachineOptions() =>
        _conduit.Description = "What the device tree tells the guest to call PSCI with, and --calls calls with; both work at EL1, SMC alone at EL2.";

    public static MachineOptions AddTo(Command command)
    {
        var machine = new MachineOptions();
        machine.Check();
        machine._accel.Check(command, machine._el, machine._cpu, machine._type, machine._qemu);
        foreach (var option in machine.OfEveryGuest.Prepend(machine._kernel).Concat(machine.OfKernels))
        {
            command.Add(option);
        }

        return machine;
    }

    public Option Kernel => _kernel;

    /// <summary>Those that have no meaning without a kernel.</summary>
    public IReadOnlyList<Option> OfKernels => [_initrd, _script, _append, _raw, _aarch32];

    public IReadOnlyList<Option> OfEveryGuest => [_cores, _el, _cpu, _type, _memory, _conduit, _qemu, .. _accel.All];

    public AccelOptions Accel => _accel;

    /// <summary>As given, else SMC; on KVM HVC, since a CPU without EL3 may have no SMC.</summary>
    public Protos.Conduit Conduit(ParseResult parsed) =>
        _accel.IsKvm(parsed) && parsed.GetResult(_conduit) is null or { Implicit: true } ? Protos.Conduit.Hvc : CallCommand.ConduitOf(parsed.GetValue(_conduit)!);

    public uint ClientEl(ParseResult parsed) => parsed.GetValue(_el);

    /// <summary>The machine for a kernel.</summary>
    public HostOptions WithKernel(ParseResult parsed, KeptRun kept, SharedTerminal terminal) => Machine(parsed, kept, terminal, cores: 2, memory: 512) with
    {
        Kernel = parsed.GetValue(_kernel)!,
        KernelIsRaw = parsed.GetValue(_raw),
        KernelIsAArch32 = parsed.GetValue(_aarch32),
        Initrd = parsed.GetValue(_initrd),
        InitrdAppendix = parsed.GetValue(_script) is { } file ? Script(file) : default,
        CommandLine = parsed.GetValue(_append)!,
        Console = terminal,
    };

    /// <summary>The machine for a guest that this tool brings.</summary>
    public HostOptions WithoutKernel(ParseResult parsed, KeptRun kept, SharedTerminal terminal) => Machine(parsed, kept, terminal, cores: 1, memory: 64);

    private HostOptions Machine(ParseResult parsed, KeptRun kept, SharedTerminal terminal, int cores, int memory)
    {
        HostOptions machine = _accel.IsKvm(parsed) ? new KvmOptions { Kernel = "" } : new QemuOptions
        {
            Kernel = "",
            Cpu = parsed.GetValue(_cpu)!,
            Machine = parsed.GetValue(_type)!,
            QemuPath = parsed.GetValue(_qemu)!,
            Kept = kept.ToKept(),
        };
        return machine with
        {
            Cores = parsed.GetValue(_cores) ?? cores,
            ClientEl = parsed.GetValue(_el),
            MemoryMiB = parsed.GetValue(_memory) ?? memory,
            Conduit = Conduit(parsed),
            Log = terminal.WriteLine,
        };
    }

    private void Check()
    {
        _cores.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1 or > MostCores)
            {
                result.AddError($"--cores: a machine has 1 to {MostCores}.");
            }
        });
        _el.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<uint>() is not (1 or 2))
            {
                result.AddError("--el: a guest starts at 1 or 2.");
            }
        });
        _aarch32.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<bool>() && !result.GetValue(_raw))
            {
                result.AddError("--aarch32: a kernel says itself what it starts in; this is for --raw.");
            }
        });
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

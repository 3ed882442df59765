using System.Collections.Concurrent;
using System.Text;
using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>A machine on the fake KVM, and in place of a daemon a function that answers. Its end is a test: nothing may be left, and no rule broken.</summary>
internal sealed class FakeHost : IMachineEvents, IDisposable
{
    public const ulong SystemOff = 0x8400_0008;
    public const ulong CpuOff = 0x8400_0002;
    public const ulong CpuSuspend = 0xc400_0001;
    public const ulong CpuOn = 0xc400_0003;
    public const ulong SystemReset = 0x8400_0009;
    public const ulong Vendor = 0xc600_0001;

    /// <summary>Where the boot core starts: RAM, and 4 MiB of room for a device tree.</summary>
    public const ulong Kernel = 0x4040_0000;

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-kvm-").FullName;
    private readonly KvmMachine _machine;
    private readonly MemoryStream _console = new();
    private ulong _commit;
    private MachineBoot? _bootOf;

    public FakeHost(GuestProgram program, int cores = 1, Func<KvmOptions, KvmOptions>? with = null, TimeSpan? endPatience = null, FakeKvm? kvm = null)
    {
        Kvm = kvm ?? new FakeKvm(program);
        var kernel = Path.Combine(_folder, "kernel");
        File.WriteAllBytes(kernel, [0, 0, 0, 0x14]);
        var options = new KvmOptions { Kernel = kernel, KernelIsRaw = true, Cores = cores, MemoryMiB = 64, Console = _console, Log = Log.Enqueue };
        try
        {
            Kvm.Machine = _machine = new(with?.Invoke(options) ?? options, Kvm) { EndPatience = endPatience ?? TimeSpan.FromSeconds(60) };
        }
        catch
        {
            Directory.Delete(_folder, recursive: true);
            throw;
        }
    }

    public FakeKvm Kvm { get; }

    public KvmMachine Machine => _machine;

    /// <summary>Answers exits that are no call of SYSTEM_OFF: null for none. On the vCPU's thread.</summary>
    public Func<ulong, Exit, Answer?> Respond { get; set; } = (_, _) => Values(0);

    /// <summary>Registers above x5 that the daemon wants.</summary>
    public Func<Conduit, uint, uint, uint> Uses { get; init; } = (_, _, _) => 0;

    public IReadOnlyList<DeviceTreeNode> Nodes { get; init; } = [];

    /// <summary>Every exit as it was forwarded.</summary>
    public ConcurrentQueue<(ulong Mpidr, Exit Exit)> Exits { get; } = [];

    /// <summary>Core changes and resets, in their order.</summary>
    public ConcurrentQueue<string> Told { get; } = [];

    public ConcurrentQueue<ulong> GivenUp { get; } = [];

    public ConcurrentQueue<string> Log { get; } = [];

    /// <summary>A sentence for each thing that may not be left behind; a machine with a vCPU that does not come back has some.</summary>
    public bool MayLeave { get; init; }

    public string Console => Encoding.UTF8.GetString(_console.ToArray());

    public MachineBoot Boot => _bootOf ??= _machine.WaitForBoot();

    public IEnumerable<Exit> ExitsOf(Exit.KindOneofCase kind) => Exits.Select(exit => exit.Exit).Where(exit => exit.KindCase == kind);

    public IEnumerable<HypercallExit> Calls => ExitsOf(Exit.KindOneofCase.Hypercall).Select(exit => exit.Hypercall);

    /// <summary>Runs the machine until it ends by itself.</summary>
    public MachineEnd Run() => Begin().Soon().GetAwaiter().GetResult();

    public Task<MachineEnd> Begin()
    {
        var boot = Boot;
        return Task.Factory.StartNew(
            () => _machine.Run(boot, Nodes, mpidr => new Forwarder(this, mpidr), this), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public static Answer Values(ulong x0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0) => new() { Values = new() { X0 = x0, X1 = x1, X2 = x2, X3 = x3 } };

    public static Answer None(Action<Answer>? with = null)
    {
        var answer = new Answer { None = new() };
        with?.Invoke(answer);
        return answer;
    }

    public static Answer Off() => None(answer => answer.SystemEvent = new() { Type = SystemEventType.Shutdown });

    /// <summary>SYSTEM_OFF by SMC: what most programs end with.</summary>
    public static FakeStep PowerOff(FakeVcpu cpu)
    {
        cpu.With(SystemOff);
        return FakeStep.Smc();
    }

    public void CoreStateChanged(ulong mpidr, CoreChange change, ulong commit) => Told.Enqueue($"{change} {mpidr:x} {commit}");

    public void ResetHappened(ulong boot, ResetKind kind, string cause) => Told.Enqueue($"{kind} boot {boot} by {cause}");

    public void Dispose()
    {
        try
        {
            _machine.Dispose();
            Assert.Empty(Kvm.Violations);
            if (!MayLeave)
            {
                Assert.Equal((0, 0), (Kvm.Open, Kvm.Mapped));
            }
        }
        finally
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private Answer? Answer(ulong mpidr, Exit exit)
    {
        Exits.Enqueue((mpidr, exit.Clone()));
        var answer = exit.Hypercall is { X0: SystemOff } ? Off() : Respond(mpidr, exit);
        if (answer is not null)
        {
            answer.ExitId = answer.ExitId == 0 ? exit.ExitId : answer.ExitId;
            answer.Boot = answer.Boot == 0 ? exit.Boot : answer.Boot;
            answer.Commit = Interlocked.Increment(ref _commit);
        }
        return answer;
    }

    private sealed class Forwarder(FakeHost host, ulong mpidr) : IExitForwarder
    {
        public Answer? Forward(Exit exit) => host.Answer(mpidr, exit);

        public uint Uses(Conduit conduit, uint imm, uint w0) => host.Uses(conduit, imm, w0);

        public void GaveUp(Exit exit) => host.GivenUp.Enqueue(exit.ExitId);
    }
}

using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Qemu.Loading;
using Hypercalls.Qemu.Monitor;
using Hypercalls.Qemu.Process;
using Hypercalls.Qemu.Vcpus;

namespace Hypercalls.Qemu;

/// <summary>A machine on a stock QEMU whose every SMC and HVC leaves it: start, wait for boot, run, dispose.</summary>
public sealed partial class QemuMachine : IVcpuOwner, IGuestMachine
{
    private static readonly TimeSpan BootPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private static readonly string[] IdentityNames =
    [
        "MIDR_EL1", "ID_AA64PFR0_EL1", "ID_AA64PFR1_EL1", "ID_AA64DFR0_EL1", "ID_AA64ISAR0_EL1", "ID_AA64ISAR1_EL1", "ID_AA64ISAR2_EL1",
        "ID_AA64MMFR0_EL1", "ID_AA64MMFR1_EL1", "ID_AA64MMFR2_EL1", "CNTFRQ_EL0",
    ];

    private readonly QemuOptions _options;
    private readonly string _version;
    private readonly RunFolder _folder;
    private readonly GuestRam _ram;
    private readonly GuestLoader _loader;
    private readonly QemuProcess _process;
    private readonly Door _door;
    private readonly GuestConsole _console;
    private readonly Thread _consoleThread;
    private readonly MachineRecords _records;
    private readonly CorePowers _powers;
    private readonly OwedInterrupts _owed;
    private readonly Vcpu[] _vcpus;
    private readonly Lock _loading = new();
    private readonly TaskCompletionSource<MachineEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _booted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<DeviceTreeNode> _nodes = [];
    private readonly bool _isTakenOver;
    private volatile bool _isStartDue;
    private volatile bool _running;
    private volatile bool _poweringOff;
    private volatile bool _clearMemory;

    private QemuMachine(QemuOptions options)
    {
        var size = (ulong)options.MemoryMiB << 20;
        var undo = new Stack<IDisposable>();
        _options = options;
        try
        {
            _version = QemuProcess.Version(options.QemuPath);
            undo.Push(_folder = RunFolder.Create(size));
            undo.Push(_ram = GuestRam.Create(_folder.RamFile, size));
            _loader = new(options, _ram);
            _ram.SetVcpus(options.Cores);
            File.WriteAllBytes(_folder.MonitorFile, MonitorImage.For(_ram.MailboxArea));
            undo.Push(_process = QemuProcess.Start(options, _loader.Guest, _version, _folder, _ram.Path));
            _folder.Keep(RunRecord.Of(options, _loader.Guest, _process, _version, _ram.Path), options.InitrdAppendix.Span);
            undo.Push(_console = new(QemuSocket.Connect(_folder.ConsoleSocket, _process, ConnectPatience), options.Console));
            undo.Push(_door = new(QemuSocket.Connect(_folder.DoorSocket, _process, ConnectPatience)));
        }
        catch
        {
            _process?.Kill();
            foreach (var made in undo)
            {
                made.Dispose();
            }
            throw;
        }
        _records = new(_ram, options.Cores);
        _powers = new(options.Cores, "QEMU", _records);
        _owed = NewOwed();
        _vcpus = NewVcpus();
        _consoleThread = new(CopyConsole) { IsBackground = true, Name = "guest console" };
        _isStartDue = true;
        BeginThreads();
        BeginVcpus();
    }

    bool IVcpuOwner.HasEnded => _end.Task.IsCompleted;

    /// <summary>Makes the machine and starts QEMU. Throws <see cref="HostException"/> with a sentence for a person.</summary>
    public static QemuMachine Start(QemuOptions options)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new HostException("QEMU for Windows cannot share guest RAM with this process: run it under Linux (WSL) or macOS.");
        }
        if (options.Cores is < 1 or > MailboxLayout.MaximumVcpus)
        {
            throw new HostException($"{options.Cores} cores: this host runs 1 to {MailboxLayout.MaximumVcpus}.");
        }
        if (options.MemoryMiB is < 16 or > 255 << 10)
        {
            throw new HostException($"{options.MemoryMiB} MiB of memory: this host runs 16 MiB to 255 GiB.");
        }
        if (options.ClientEl is not (1 or 2))
        {
            throw new HostException($"A guest at EL{options.ClientEl}: this host runs them at EL1 and EL2.") { IsBadInput = true };
        }
        if (options is { ClientEl: 2, Conduit: Conduit.Hvc })
        {
            throw new HostException("A guest at EL2 calls by SMC: its HVC goes to itself.") { IsBadInput = true };
        }
        return new(options);
    }

    /// <summary>Blocks until every vCPU has come out of reset; the guest has not run yet.</summary>
    public MachineBoot WaitForBoot()
    {
        if (Task.WaitAny([_booted.Task, _end.Task], BootPatience) < 0)
        {
            throw new HostException($"The cores have not come out of reset within {BootPatience.TotalSeconds:0} s: this host needs a CPU with AArch64, and {_options.Cpu} may have none.");
        }
        if (_end.Task.IsCompleted && !_isTakenOver)
        {
            throw new HostException(_end.Task.Result is MachineEnd.Failed failed ? failed.Report : "The machine was stopped before it came out of reset.");
        }
        // QEMU has mapped it by now.
        _folder.ForgetMemory();
        var idAa64pfr0 = _vcpus[0].Identity[Array.IndexOf(IdentityNames, "ID_AA64PFR0_EL1")];
        if (_loader.Guest.Refusal(idAa64pfr0, _options.Cpu, _options.Conduit) is { } refusal)
        {
            throw new HostException(refusal) { IsBadInput = true };
        }
        return new(
            _isTakenOver ? _toldBoot : _powers.Boot,
            [.. _vcpus.Select(vcpu => vcpu.Mpidr)],
            GuestRam.Base,
            _ram.MailboxArea - GuestRam.Base,
            _loader.Guest.ClientEl,
            _loader.Guest.IsAArch32 ? ExecutionState.Aarch32 : ExecutionState.Aarch64,
            _loader.Guest.Conduits(idAa64pfr0),
            OfferedInterrupts.Ranges,
            [.. IdentityNames.Zip(_vcpus[0].Identity, KeyValuePair.Create)],
            KernelShare.None("the monitor forwards every call"),
            $"qemu-system-aarch64 {_version}");
    }

    /// <summary>
    /// Runs the guest and blocks until the machine has ended. To be called once, after <see cref="WaitForBoot"/>. The nodes are those that the daemon accepted the machine with;
    /// throws <see cref="HostException"/> with a sentence for a person when no tree can hold them.
    /// </summary>
    public MachineEnd Run(MachineBoot boot, IReadOnlyList<DeviceTreeNode> nodes, Func<ulong, IExitForwarder> forwarders, IMachineEvents events)
    {
        _nodes = nodes;
        foreach (var vcpu in _vcpus)
        {
            vcpu.Forwarder = forwarders(vcpu.Mpidr);
        }
        _powers.Report(events, boot.Boot, [.. boot.Cores]);
        _running = true;
        if (_isTakenOver)
        {
            BeginVcpus();
        }
        if (_isStartDue)
        {
            StartGuest();
        }
        var end = _end.Task.GetAwaiter().GetResult();
        if (end is not MachineEnd.PoweredOff)
        {
            _process.Kill();
        }
        _process.WaitForExitAsync().Wait(EndPatience);
        _consoleThread.Join(EndPatience);
        return end;
    }

    /// <summary>The boot and the cores with their power as they are now: what a Hello says when the machine is attached again. Changes after it are reported.</summary>
    public (ulong Boot, IReadOnlyList<Core> Cores) Now()
    {
        var (boot, powers) = _powers.Now();
        return (boot, [.. _vcpus.Zip(powers, (vcpu, power) => new Core { Mpidr = vcpu.Mpidr, Power = power })]);
    }

    /// <summary>Tells whether that core is to make an attention exit; level-triggered, from any thread. A core that the machine has not is ignored.</summary>
    public void AttentionWanted(ulong mpidr, bool wanted) => Find(mpidr)?.WantAttention(wanted);

    /// <summary>More of the exit that this core is being served for; null when there is no such exit, register or memory.</summary>
    public Supply? Supply(ulong mpidr, Need need) => Find(mpidr)?.Supply(need);

    /// <summary>Bytes typed at the guest's console.</summary>
    public void WriteConsole(ReadOnlySpan<byte> typed) => _console.Write(typed);

    /// <summary>Ends the run, from any thread.</summary>
    public void Stop() => End(new MachineEnd.Stopped());

    /// <summary>Ends QEMU and leaves nothing behind. A machine that was taken over and has not run is left as it was found.</summary>
    public void Dispose()
    {
        var isLeft = _isTakenOver && !_running;
        Stop();
        if (!isLeft)
        {
            _process.Kill();
            _process.WaitForExitAsync().Wait(EndPatience);
        }
        _door.Dispose();
        _console.Dispose();
        _process.Dispose();
        _ram.Dispose();
        if (isLeft)
        {
            _folder.Leave();
        }
        else
        {
            _folder.Dispose();
        }
    }

    Vcpu? IVcpuOwner.Find(ulong mpidr) => Find(mpidr);

    void IVcpuOwner.AllBooted()
    {
        _booted.TrySetResult();
        _isStartDue = true;
        if (_running)
        {
            StartGuest();
        }
    }

    void IVcpuOwner.PoweringOff()
    {
        _poweringOff = true;
        _ = EndLateAsync();
    }

    void IVcpuOwner.Resetting(bool clearMemory) => _clearMemory = clearMemory;

    void IVcpuOwner.Fail(string report) => End(new MachineEnd.Failed(report));

    void IVcpuOwner.Log(string remark) => _options.Log?.Invoke(remark);

    private OwedInterrupts NewOwed() => new([.. _records.Vcpus.Select(records => records.Owed)], _powers, number => _vcpus[number].Nudge());

    private Vcpu[] NewVcpus() =>
        [.. _records.Vcpus.Select((records, number) => new Vcpu(number, this, _loader.Guest, _ram, records, _door, _powers, _owed))];

    private Vcpu? Find(ulong mpidr) => Array.Find(_vcpus, vcpu => vcpu.Mpidr == mpidr);

    private void StartGuest()
    {
        lock (_loading)
        {
            if (!_powers.AllAreOff)
            {
                return;
            }
            var clear = _clearMemory;
            _clearMemory = false;
            _loader.Load(clear, _nodes);
            if (_powers.TryStartBootCore(_loader.Start))
            {
                _vcpus[0].Nudge();
            }
        }
    }

    private void End(MachineEnd end)
    {
        if (!_end.TrySetResult(end))
        {
            return;
        }
        foreach (var vcpu in _vcpus)
        {
            vcpu.Nudge();
        }
    }
}

using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Loading;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Kvm.Devices;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Vcpus;
using Hypercalls.Protos;
using WireNode = Hypercalls.Protos.DeviceTreeNode;

namespace Hypercalls.Kvm;

/// <summary>A machine on KVM whose calls leave it: RAM, cores, GICv3, timer and a console, enough for Linux.</summary>
public sealed partial class KvmMachine : IVcpuOwner, IGuestMachine
{
    public const int MostCores = 8;

    private readonly KvmOptions _options;
    private readonly IKvm _kvm;
    private readonly KvmRam _ram;
    private readonly GuestFiles _files;
    private readonly ConsolePump _console;
    private readonly Pl011 _uart;
    private readonly MmioBus _bus;
    private readonly CorePowers _powers;
    private readonly Vcpu[] _vcpus;
    private readonly Lock _building = new();
    private readonly TaskCompletionSource<MachineEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _leaving = new(false);
    private BuiltVm? _vm;
    private uint _boot = 1;
    private volatile bool _clearMemory;

    internal KvmMachine(KvmOptions options, IKvm kvm)
    {
        Check(options, kvm);
        (_options, _kvm) = (options, kvm);
        _ram = new(kvm.Map((ulong)options.MemoryMiB << 20));
        try
        {
            _files = new(options, KvmRam.Base, _ram.End);
            _vm = BuiltVm.Build(kvm, options, _files.Guest, _ram);
            _powers = new(options.Cores, "KVM");
            _console = new(options.Console, Fail);
            _uart = new(_console.Write, level => SetInterrupt(KvmBoard.UartInterrupt, level));
            _bus = new(new MmioRegion(KvmBoard.Uart, Pl011.Size, _uart));
            _vcpus = [.. _vm.Vcpus.Select((vcpu, number) => new Vcpu(number, Mpidr(vcpu), this, _files.Guest, _ram, _bus, _powers))];
        }
        catch
        {
            _console?.Dispose();
            _vm?.Dispose();
            _ram.Dispose();
            throw;
        }
    }

    /// <summary>How long a vCPU may take to leave the kernel.</summary>
    internal TimeSpan EndPatience { get; init; } = TimeSpan.FromSeconds(10);

    public bool IsTakenOver => false;

    /// <summary>None: the vCPUs end with this process.</summary>
    public ReadOnlyMemory<byte> Token => default;

    /// <summary>Made so far for the vCPUs of this boot; for a thread of theirs while they run.</summary>
    internal long Ioctls => _vm!.Vcpus.Sum(vcpu => vcpu.Ioctls);

    bool IVcpuOwner.HasEnded => _end.Task.IsCompleted;

    bool IVcpuOwner.PsciIsTheKernels => _options.Psci == PsciOwner.Kernel;

    public void KeepToken(ReadOnlySpan<byte> token)
    {
        // Nobody can take over what ends with this process.
    }

    public MachineEnd Run(MachineBoot boot, IReadOnlyList<WireNode> nodes, Func<ulong, IExitForwarder> forwarders, IMachineEvents events)
    {
        foreach (var vcpu in _vcpus)
        {
            vcpu.Forwarder = forwarders(vcpu.Mpidr);
        }
        Begin();
        _powers.Report(events, _boot, [.. boot.Cores]);
        while (!_end.Task.IsCompleted)
        {
            Live(nodes);
            _boot++;
            Rebuild();
        }
        _console.Finish();
        if (_bus.UnservedAccesses > 0)
        {
            _options.Log?.Invoke($"The guest made {_bus.UnservedAccesses} accesses where nothing is: reads found zero. The first: {string.Join(", ", _bus.UnservedAddresses.Select(address => $"0x{address:x}"))}.");
        }
        return _end.Task.Result;
    }

    public (ulong Boot, IReadOnlyList<Core> Cores) Now()
    {
        var (boot, powers) = _powers.Now();
        return (boot, [.. _vcpus.Zip(powers, (vcpu, power) => new Core { Mpidr = vcpu.Mpidr, Power = power })]);
    }

    public void AttentionWanted(ulong mpidr, bool wanted) => Find(mpidr)?.WantAttention(wanted);

    public Supply? Supply(ulong mpidr, Need need) => Find(mpidr)?.Supply(need);

    public void WriteConsole(ReadOnlySpan<byte> typed) => _uart.Receive(typed);

    public void Stop() => End(new MachineEnd.Stopped());

    /// <summary>Leaves nothing mapped and nothing running, but where a vCPU does not leave the kernel.</summary>
    public void Dispose()
    {
        Stop();
        _console.Dispose();
        if (!Array.TrueForAll(_vcpus, vcpu => vcpu.WaitForEnd(EndPatience)))
        {
            // Its memory is in use: it goes with this process.
            _options.Log?.Invoke($"{Stuck()} Its memory stays mapped until this process ends.");
            return;
        }
        foreach (var vcpu in _vcpus)
        {
            vcpu.Dispose();
        }
        SetVm(null);
        _ram.Dispose();
        _kvm.Dispose();
    }

    Vcpu? IVcpuOwner.Find(ulong mpidr) => Find(mpidr);

    void IVcpuOwner.PowerOff() => End(new MachineEnd.PoweredOff());

    void IVcpuOwner.Reset(bool clearMemory)
    {
        _clearMemory = clearMemory;
        _console.SetLeaving(true);
        Leave();
    }

    void IVcpuOwner.Fail(string report) => Fail(report);

    void IVcpuOwner.Log(string remark) => _options.Log?.Invoke(remark);

    private Vcpu? Find(ulong mpidr) => Array.Find(_vcpus, vcpu => vcpu.Mpidr == mpidr);

    /// <summary>Every core is off, in this boot.</summary>
    private void Begin()
    {
        for (var number = 0; number < _vcpus.Length; number++)
        {
            _powers.TryBoot(number, _boot, out _);
        }
    }

    /// <summary>One boot, until every vCPU has left it.</summary>
    private void Live(IReadOnlyList<WireNode> nodes)
    {
        if (_clearMemory)
        {
            _ram.Memory.Clear();
        }
        _clearMemory = false;
        _console.SetLeaving(false);
        _files.Put(_ram, KvmBoard.DeviceTree(_options, [.. _vcpus.Select(vcpu => vcpu.Mpidr)], nodes, _files.Initrd));
        _leaving.Reset();
        if (_end.Task.IsCompleted)
        {
            return;
        }
        _powers.TryStartBootCore(_files.Start);
        foreach (var (vcpu, kvm) in _vcpus.Zip(_vm!.Vcpus))
        {
            vcpu.Begin(_boot, kvm);
        }
        _leaving.Wait();
        if (!Array.TrueForAll(_vcpus, Leaves))
        {
            Fail(Stuck());
        }
    }

    /// <summary>Waits for a vCPU that has been told to leave; false where it stays in KVM all the time that it is given.</summary>
    private bool Leaves(Vcpu vcpu)
    {
        while (true)
        {
            if (_end.Task.IsCompleted && vcpu.IsForwarding)
            {
                // It will not touch the machine any more.
                return true;
            }
            var steps = vcpu.Steps;
            if (vcpu.WaitForEnd(EndPatience))
            {
                return true;
            }
            if (!vcpu.IsForwarding && vcpu.Steps == steps)
            {
                return false;
            }
        }
    }

    private void Rebuild()
    {
        if (_end.Task.IsCompleted)
        {
            return;
        }
        try
        {
            SetVm(null);
            _uart.Reset();
            SetVm(BuiltVm.Build(_kvm, _options, _files.Guest, _ram));
            Begin();
        }
        catch (Exception e) when (e is KvmException or HostException or IOException)
        {
            Fail($"The machine cannot be reset: {e.Message}");
        }
    }

    private void SetVm(BuiltVm? vm)
    {
        lock (_building)
        {
            _vm?.Dispose();
            _vm = vm;
        }
    }

    private void SetInterrupt(uint intid, bool level)
    {
        try
        {
            lock (_building)
            {
                _vm?.SetInterrupt(intid, level);
            }
        }
        catch (KvmException e)
        {
            // Perhaps on the keyboard's thread, where nobody knows of KVM.
            Fail(e.Message);
        }
    }

    private string Stuck()
    {
        var patience = $"{EndPatience.TotalSeconds:0.#} s";
        var inKvm = Numbers(vcpu => vcpu.IsInKvm);
        var forwarding = Numbers(vcpu => vcpu.IsForwarding);
        return inKvm.Length != 0 ? $"vCPU {inKvm} has not left KVM_RUN within {patience} of being told to: look for a fault of the kernel in dmesg, and end this process ({Environment.ProcessId}) if it stays."
            : forwarding.Length != 0 ? $"An exit of vCPU {forwarding} is still being forwarded {patience} after the end."
            : $"A vCPU took longer than {patience} to end.";

        string Numbers(Func<Vcpu, bool> which) => string.Join(" and ", _vcpus.Where(which).Select(vcpu => vcpu.Number));
    }

    private void Fail(string report) => End(new MachineEnd.Failed(report));

    private void End(MachineEnd end)
    {
        if (_end.TrySetResult(end))
        {
            // A vCPU may wait for somebody to take what it prints.
            _console?.Dispose();
            Leave();
        }
    }

    private void Leave()
    {
        _leaving.Set();
        foreach (var vcpu in _vcpus ?? [])
        {
            vcpu.Nudge();
        }
    }
}

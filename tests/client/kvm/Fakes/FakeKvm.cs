using System.Collections.Concurrent;
using Hypercalls.Kvm;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>What a vCPU does from its first instruction on: an iterator that runs on the thread that runs the vCPU. After its end the guest loops.</summary>
internal delegate IEnumerable<FakeStep> GuestProgram(FakeVcpu cpu);

/// <summary>A /dev/kvm that behaves as Linux 6.12 and 7.2 were seen to behave on arm64, with guests that are written in C#. It counts what is open and mapped, and remembers what no caller may do.</summary>
internal sealed class FakeKvm(GuestProgram program) : IKvm
{
    private readonly List<FakeVm> _vms = [];
    private int _open = 1;
    private int _mapped;
    private bool _isClosed;

    public string Release { get; init; } = "6.12.107-fake";

    public bool HasFilter { get; init; } = true;

    /// <summary>Its machine's own interrupt controller is one that lets guests have a GICv3.</summary>
    public bool HasGic { get; init; } = true;

    public bool HasAArch32 { get; init; } = true;

    public int AddressBits { get; init; } = 40;

    /// <summary>The register that no vCPU gives, though it has it.</summary>
    public ulong? Withheld { get; init; }

    /// <summary>The machine that it is for; programs find it there.</summary>
    public KvmMachine Machine { get; set; } = null!;

    /// <summary>Called for each machine before it is made: a kernel that refuses throws.</summary>
    public Action<int>? Refuses { get; init; }

    /// <summary>Called on the vCPU's thread just before it learns how often it was kicked.</summary>
    public Action<FakeVcpu>? KicksAreRead { get; init; }

    public GuestProgram Program { get; } = program;

    /// <summary>Descriptors: /dev/kvm, machines, vCPUs, GICs.</summary>
    public int Open => Volatile.Read(ref _open);

    public int Mapped => Volatile.Read(ref _mapped);

    /// <summary>What a caller did and may not: a sentence each.</summary>
    public ConcurrentQueue<string> Violations { get; } = [];

    /// <summary>Every machine made so far: one for each boot.</summary>
    public IReadOnlyList<FakeVm> Vms
    {
        get
        {
            lock (_vms)
            {
                return [.. _vms];
            }
        }
    }

    public int Extension(KvmCapability capability) => capability switch
    {
        KvmCapability.ArmEl132Bit => HasAArch32 ? 1 : 0,
        KvmCapability.ArmPsci02 => 1,
        KvmCapability.ArmVmIpaSize => AddressBits,
        _ => 0,
    };

    public IKvmVm CreateVm()
    {
        lock (_vms)
        {
            Refuses?.Invoke(_vms.Count + 1);
            Opened(1);
            var vm = new FakeVm(this, _vms.Count + 1);
            _vms.Add(vm);
            return vm;
        }
    }

    public IKernelMemory Map(ulong size)
    {
        Interlocked.Increment(ref _mapped);
        return new FakeMemory(this, size);
    }

    public void Dispose()
    {
        if (_isClosed)
        {
            Violation("/dev/kvm is closed twice");
        }
        _isClosed = true;
        Opened(-1);
    }

    public void Opened(int count) => Interlocked.Add(ref _open, count);

    public void Unmapped()
    {
        Interlocked.Decrement(ref _mapped);
        if (Vms.Any(vm => vm.Vcpus.Any(vcpu => vcpu.IsInside)))
        {
            Violation("memory is unmapped under a running vCPU");
        }
    }

    /// <summary>Remembers it and fails the caller.</summary>
    public void Violation(string what)
    {
        Violations.Enqueue(what);
        throw new InvalidOperationException(what);
    }
}

using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>A machine: the filter's rules, RAM, interrupt lines.</summary>
internal sealed class FakeVm(FakeKvm kvm, int boot) : IKvmVm
{
    private readonly List<FilterRange> _filter =
    [
        // As the kernel itself reserves them: every overlap is EEXIST.
        new(0x8000_0000, 0x8000_FFFF, FilterAction.Handle), new(0xC000_0000, 0xC000_FFFF, FilterAction.Handle),
    ];

    private readonly List<FakeVcpu> _vcpus = [];
    private readonly Dictionary<uint, bool> _lines = [];
    private bool _hasGic;
    private bool _isOpen = true;

    public FakeKvm Kvm => kvm;

    /// <summary>Counted from 1.</summary>
    public int Boot => boot;

    public bool HasFilter => kvm.HasFilter;

    public bool HasGic => kvm.HasGic;

    /// <summary>What was installed, in its order.</summary>
    public IReadOnlyList<FilterRange> Filter => _filter[2..];

    public IReadOnlyList<FakeVcpu> Vcpus
    {
        get
        {
            lock (_vcpus)
            {
                return [.. _vcpus];
            }
        }
    }

    public FakeMemory? Memory { get; private set; }

    public ulong MemoryBase { get; private set; }

    public (ulong Distributor, ulong Redistributors, uint Interrupts)? Gic { get; private set; }

    /// <summary>Some vCPU has run.</summary>
    public bool HasRun { get; set; }

    public void SetFilter(FilterRange range)
    {
        Check();
        var refusal = !HasFilter ? Errno.Enxio
            : HasRun ? Errno.Ebusy
            : range.Last < range.First || range.Action > FilterAction.Forward ? Errno.Einval
            : _filter.Exists(other => range.First <= other.Last && other.First <= range.Last) ? Errno.Eexist
            : 0;
        if (refusal != 0)
        {
            throw KvmException.Of($"The filter takes no {range}", -refusal);
        }
        _filter.Add(range);
    }

    /// <summary>What becomes of a call; null where no range has it.</summary>
    public FilterAction? ActionFor(uint function)
    {
        foreach (var range in _filter)
        {
            if (function >= range.First && function <= range.Last)
            {
                return range.Action;
            }
        }
        return null;
    }

    public void Enable(KvmCapability capability) => throw KvmException.Of($"No {capability}", -Errno.Einval);

    public void SetMemory(ulong address, IKernelMemory memory)
    {
        Check();
        (MemoryBase, Memory) = (address, (FakeMemory)memory);
    }

    public IKvmVcpu CreateVcpu(int number, VcpuFeatures features)
    {
        Check();
        kvm.Opened(1);
        var vcpu = new FakeVcpu(this, number, features);
        lock (_vcpus)
        {
            _vcpus.Add(vcpu);
        }
        return vcpu;
    }

    public void CreateGic(ulong distributor, ulong redistributors, uint interrupts)
    {
        Check();
        if (!HasGic)
        {
            throw KvmException.Of("No GICv3", -Errno.Enodev);
        }
        kvm.Opened(1);
        _hasGic = true;
        Gic = (distributor, redistributors, interrupts);
    }

    public void SetInterrupt(uint intid, bool level)
    {
        Check();
        lock (_lines)
        {
            _lines[intid] = level;
        }
    }

    public bool Level(uint intid)
    {
        lock (_lines)
        {
            return _lines.GetValueOrDefault(intid);
        }
    }

    /// <summary>Instructions of a guest without MMU, where there is RAM.</summary>
    public void Store(ulong address, ReadOnlySpan<byte> bytes)
    {
        if (Memory is { } memory && address >= MemoryBase && address - MemoryBase + (ulong)bytes.Length <= memory.Size)
        {
            memory.Write(address - MemoryBase, bytes);
        }
    }

    public void Dispose()
    {
        Check();
        _isOpen = false;
        kvm.Opened(_hasGic ? -2 : -1);
        if (Vcpus.Any(vcpu => vcpu.IsInside))
        {
            kvm.Violation("a machine is closed under a running vCPU");
        }
    }

    private void Check()
    {
        if (!_isOpen)
        {
            kvm.Violation("a machine is used after it was closed");
        }
    }
}

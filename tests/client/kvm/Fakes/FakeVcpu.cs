using System.Buffers.Binary;
using System.Collections.Concurrent;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>A vCPU: a register file, a program, and the rules of KVM_RUN. Whoever uses it from a second thread, a kick apart, is remembered.</summary>
internal sealed partial class FakeVcpu : IKvmVcpu
{
    /// <summary>How often a guest that waits looks whether it still has to, in milliseconds.</summary>
    private const int Look = 2;

    private const uint Wakeup = 4;

    private readonly object _gate = new();
    private readonly ConcurrentDictionary<ulong, ulong> _registers = [];
    private VcpuFeatures _features;
    private IEnumerator<FakeStep>? _program;
    private FakeStep? _step;
    private Thread? _owner;
    private int _inside;
    private volatile bool _isOpen = true;
    private volatile bool _isPending;
    private volatile uint _kicks;
    private volatile uint _state;

    public FakeVcpu(FakeVm vm, int number, VcpuFeatures features)
    {
        (Vm, Number) = (vm, number);
        Reset(features);
    }

    public FakeVm Vm { get; }

    public int Number { get; }

    public RunPage Page { get; } = new();

    public long Ioctls { get; private set; }

    public uint Kicks
    {
        get
        {
            Vm.Kvm.KicksAreRead?.Invoke(this);
            return _kicks;
        }
    }

    /// <summary>Some call is being made at this moment.</summary>
    public bool IsInside => Volatile.Read(ref _inside) != 0;

    /// <summary>How often KVM_RUN was called.</summary>
    public int Runs { get; private set; }

    /// <summary>How often it came back because of a kick.</summary>
    public int Interruptions { get; private set; }

    /// <summary>Registers written by the last KVM_RUN's caller, in that order.</summary>
    public IReadOnlyList<ulong> LastSet { get; private set; } = [];

    /// <summary>The calls that came out of KVM_RUN.</summary>
    public ConcurrentQueue<(uint Function, bool IsSmc)> Forwarded { get; } = [];

    /// <summary>How often it was initialised after it was made.</summary>
    public int Inits { get; private set; }

    /// <summary>An access that is not finished: the register that gets what a read finds, −1 for a write.</summary>
    public (int Register, int Length)? Access { get; set; }

    public MpState MpState
    {
        get
        {
            using var inside = Enter(isOwners: false);
            Ioctls++;
            return (MpState)_state;
        }
        set
        {
            using var inside = Enter();
            Ioctls++;
            _state = (uint)value;
        }
    }

    public void Init(VcpuFeatures features)
    {
        using var inside = Enter();
        Ioctls++;
        Inits++;
        if (((features ^ _features) & ~VcpuFeatures.PowerOff) != 0)
        {
            throw KvmException.Of($"vCPU {Number} cannot be initialised with {features}", -Errno.Einval);
        }
        Reset(features);
    }

    public bool TryGet(ulong id, out ulong value)
    {
        using var inside = Enter(isOwners: false);
        Ioctls++;
        if (id == Vm.Kvm.Withheld)
        {
            throw KvmException.Of($"vCPU {Number} does not give register 0x{id:x}", -Errno.Einval);
        }
        return _registers.TryGetValue(id, out value);
    }

    public void Get(ReadOnlySpan<ulong> ids, Span<ulong> values)
    {
        using var inside = Enter(isOwners: false);
        GetInside(ids, values);
    }

    public void Set(ReadOnlySpan<ulong> ids, ReadOnlySpan<ulong> values)
    {
        using var inside = Enter();
        SetInside(ids, values);
    }

    public void SetDebug(GuestDebug control)
    {
        using var inside = Enter();
        Ioctls++;
    }

    public ExitReason Run(uint kicksSeen, ReadOnlySpan<ulong> setIds, ReadOnlySpan<ulong> setValues, ReadOnlySpan<byte> data, ReadOnlySpan<ulong> getIds, Span<ulong> getValues)
    {
        using var inside = Enter();
        LastSet = setIds.ToArray();
        SetInside(setIds, setValues);
        Ioctls++;
        Runs++;
        Vm.HasRun = true;
        Finish(data);
        if (!Exits(kicksSeen))
        {
            Interruptions++;
            FakePage.Interrupted(Page.Bytes);
            return ExitReason.Interrupted;
        }
        if (Page.Reason == ExitReason.Hypercall)
        {
            GetInside(getIds, getValues);
        }
        return Page.Reason;
    }

    public void Complete(ReadOnlySpan<byte> data)
    {
        using var inside = Enter();
        Ioctls++;
        Finish(data);
    }

    public void Kick()
    {
        Interlocked.Increment(ref _kicks);
        if (!_isOpen)
        {
            Vm.Kvm.Violation($"vCPU {Number} is kicked after it was closed");
        }
        Pulse();
    }

    public void Dispose()
    {
        if (IsInside)
        {
            Vm.Kvm.Violation($"vCPU {Number} is closed while it runs");
        }
        if (!_isOpen)
        {
            Vm.Kvm.Violation($"vCPU {Number} is closed twice");
        }
        _isOpen = false;
        Vm.Kvm.Opened(-1);
    }

    /// <summary>False for a kick.</summary>
    private bool Exits(uint kicksSeen)
    {
        while (_kicks == kicksSeen)
        {
            if ((MpState)_state == MpState.Stopped || ((MpState)_state == MpState.Suspended && !_isPending))
            {
                WaitFor(kicksSeen);
                continue;
            }
            if ((MpState)_state == MpState.Suspended)
            {
                // The state stays as it is until user space changes it.
                FakePage.SystemEvent(Page.Bytes, Wakeup, []);
                return true;
            }
            _isPending = false;
            _step ??= Next();
            switch (_step.Do(this))
            {
                case Done.Waits:
                    WaitFor(kicksSeen);
                    break;
                case Done.Exits:
                    _step = null;
                    return true;
                default:
                    _step = null;
                    break;
            }
        }
        return false;
    }

    private FakeStep Next()
    {
        _program ??= Vm.Kvm.Program(this).GetEnumerator();
        return _program.MoveNext() ? _program.Current : FakeStep.Spin();
    }

    private void Finish(ReadOnlySpan<byte> data)
    {
        if (Access is var (register, length))
        {
            Access = null;
            if (register >= 0)
            {
                Span<byte> found = stackalloc byte[sizeof(ulong)];
                found.Clear();
                data[..length].CopyTo(found);
                this[KvmRegisterId.X(register)] = BinaryPrimitives.ReadUInt64LittleEndian(found);
            }
            // To whatever PC holds by now.
            Pc += 4;
        }
    }

    private void GetInside(ReadOnlySpan<ulong> ids, Span<ulong> values)
    {
        for (var n = 0; n < ids.Length; n++)
        {
            Ioctls++;
            values[n] = _registers.TryGetValue(ids[n], out var value) ? value : throw KvmException.Of($"vCPU {Number} has no register 0x{ids[n]:x}", -Errno.Enoent);
        }
    }

    private void SetInside(ReadOnlySpan<ulong> ids, ReadOnlySpan<ulong> values)
    {
        for (var n = 0; n < ids.Length; n++)
        {
            Ioctls++;
            _ = _registers.ContainsKey(ids[n]) ? true : throw KvmException.Of($"vCPU {Number} has no register 0x{ids[n]:x}", -Errno.Enoent);
            _registers[ids[n]] = values[n];
        }
    }

    private void WaitFor(uint kicksSeen)
    {
        lock (_gate)
        {
            if (_kicks == kicksSeen)
            {
                Monitor.Wait(_gate, Look);
            }
        }
    }

    private void Pulse()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }
}

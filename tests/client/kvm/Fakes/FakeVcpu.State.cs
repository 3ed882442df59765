using Hypercalls.Kvm;
using Hypercalls.Kvm.Interface;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>The vCPU as its guest, the kernel and the test see it.</summary>
internal sealed partial class FakeVcpu
{
    private const ulong AArch32 = 1 << 4;

    private static readonly ulong[] s_zeroAtReset =
    [
        .. Enumerable.Range(0, 31).Select(KvmRegisterId.X), KvmRegisterId.Pc, KvmRegisterId.SpEl0, KvmRegisterId.SpEl1, KvmRegisterId.ElrEl1, KvmRegisterId.SpsrEl1,
        KvmRegisterId.VbarEl1, KvmRegisterId.TcrEl1, KvmRegisterId.Ttbr0El1, KvmRegisterId.Ttbr1El1,
    ];

    public ulong X0 { get => X(0); set => this[KvmRegisterId.X(0)] = value; }

    public ulong Pc { get => this[KvmRegisterId.Pc]; set => this[KvmRegisterId.Pc] = value; }

    public ulong Pstate { get => this[KvmRegisterId.Pstate]; set => this[KvmRegisterId.Pstate] = value; }

    /// <summary>As the guest's kernel would see it, without an ioctl.</summary>
    public MpState State => (MpState)_state;

    public bool IsAArch32 => (Pstate & AArch32) != 0;

    public int Boot => Vm.Boot;

    public KvmMachine Machine => Vm.Kvm.Machine;

    /// <summary>Without an ioctl: by the guest itself, or by a test when it is over.</summary>
    public ulong this[ulong id]
    {
        get => _registers[id];
        set => _registers[id] = value;
    }

    public ulong X(int n) => this[KvmRegisterId.X(n)];

    /// <summary>Puts arguments into x0 and upwards, and gives the vCPU back.</summary>
    public FakeVcpu With(params ReadOnlySpan<ulong> arguments)
    {
        for (var n = 0; n < arguments.Length; n++)
        {
            this[KvmRegisterId.X(n)] = arguments[n];
        }
        return this;
    }

    /// <summary>x0 to x3.</summary>
    public (ulong, ulong, ulong, ulong) Results => (X(0), X(1), X(2), X(3));

    public void SetResults(ulong x0) => With(x0, 0, 0, 0);

    /// <summary>An interrupt is pending: a core that is suspended wakes. From any thread.</summary>
    public void Wake()
    {
        _isPending = true;
        Pulse();
    }

    /// <summary>By the kernel.</summary>
    public void Stop()
    {
        _state = (uint)MpState.Stopped;
        Pulse();
    }

    /// <summary>By the kernel's CPU_ON.</summary>
    public bool TrySwitchOn(ulong entry, ulong context)
    {
        if ((MpState)_state != MpState.Stopped)
        {
            return false;
        }
        Reset(_features & ~VcpuFeatures.PowerOff);
        (Pc, X0) = (entry, context);
        _state = (uint)MpState.Runnable;
        Pulse();
        return true;
    }

    private void Reset(VcpuFeatures features)
    {
        _features = features;
        foreach (var id in s_zeroAtReset)
        {
            this[id] = 0;
        }
        this[KvmRegisterId.Pstate] = (features & VcpuFeatures.El1Is32Bit) != 0 ? 0x1d3ul : 0x3c5;
        this[KvmRegisterId.SctlrEl1] = (features & VcpuFeatures.El1Is32Bit) != 0 ? 0x00c5_0838ul : 0x30d0_0800;
        this[KvmRegisterId.MpidrEl1] = 0x8000_0000 | (uint)Number;
        this[KvmRegisterId.MidrEl1] = 0x410f_d0b0;
        this[KvmRegisterId.IdAa64Pfr0El1] = 0x11_0000_1111;
        this[KvmRegisterId.PsciVersion] = 0x1_0001;
        this[KvmRegisterId.StdBitmap] = this[KvmRegisterId.StdHypBitmap] = 1;
        this[KvmRegisterId.VendorHypBitmap] = 3;
        (_program, _step, Access) = (null, null, null);
        // A state that the kernel changes under its own thread is set last.
        _state = (uint)((features & VcpuFeatures.PowerOff) != 0 ? MpState.Stopped : MpState.Runnable);
    }

    /// <summary>A call begins: by one thread at a time, and by the one thread that runs it where it touches the guest.</summary>
    private Inside Enter(bool isOwners = true)
    {
        var thread = Thread.CurrentThread;
        if (!_isOpen)
        {
            Vm.Kvm.Violation($"vCPU {Number} is used after it was closed");
        }
        if (isOwners)
        {
            _owner ??= thread;
        }
        if (_owner is { } owner && owner != thread)
        {
            Vm.Kvm.Violation($"vCPU {Number} is {owner.Name}'s, and used by {thread.Name ?? "another thread"}");
        }
        if (Interlocked.Exchange(ref _inside, 1) != 0)
        {
            Vm.Kvm.Violation($"vCPU {Number} is used during another call");
        }
        return new(this);
    }

    private readonly ref struct Inside(FakeVcpu vcpu)
    {
        public void Dispose() => Volatile.Write(ref vcpu._inside, 0);
    }
}

using System.Numerics;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Translation;
using Hypercalls.Protos;

namespace Hypercalls.Kvm.Vcpus;

/// <summary>A stopped vCPU's registers: read when they are asked for, several at a time, and written back with the next run where they changed. Each costs an ioctl.</summary>
internal sealed class VcpuRegisters(IKvmVcpu vcpu, GuestKind guest) : IGuestRegisters
{
    private const int PcAt = 31;
    private const int PstateAt = 32;
    private const int SpEl0At = 33;
    private const int SpEl1At = 34;
    private const int ElrAt = 35;
    private const int SpsrAt = 36;
    private const int VbarAt = 37;
    private const int SctlrAt = 38;
    private const int TcrAt = 39;
    private const int Ttbr0At = 40;
    private const int Ttbr1At = 41;
    private const int Count = 42;

    private const ulong PstateAArch32 = 1 << 4;
    private const ulong PstateT = 1 << 5;
    private const ulong PstateE = 1 << 9;

    // At the guest's level with all that can be masked masked (DEN0022, CPU_ON): EL1h, svc.
    private const ulong PstateEl1h = 0x3c5;
    private const ulong PstateSvc = 0x1d3;

    private const ulong SctlrEe = 1 << 25;

    /// <summary>What a hypercall exit tells: x1 to x5 and PSTATE. The exit itself tells w0, the function.</summary>
    private const ulong OfCall = 0x3e | 1ul << PstateAt;

    private const ulong Translation = 1ul << SctlrAt | 1ul << TcrAt | 1ul << Ttbr0At | 1ul << Ttbr1At;

    /// <summary>All that a register file of the wire holds.</summary>
    private const ulong File = (1ul << TcrAt) - 1;

    private static readonly ulong[] s_ids =
    [
        .. Enumerable.Range(0, PcAt).Select(KvmRegisterId.X), KvmRegisterId.Pc, KvmRegisterId.Pstate, KvmRegisterId.SpEl0, KvmRegisterId.SpEl1, KvmRegisterId.ElrEl1,
        KvmRegisterId.SpsrEl1, KvmRegisterId.VbarEl1, KvmRegisterId.SctlrEl1, KvmRegisterId.TcrEl1, KvmRegisterId.Ttbr0El1, KvmRegisterId.Ttbr1El1,
    ];

    private readonly ulong[] _values = new ulong[Count];
    private readonly ulong[] _batchIds = new ulong[Count];
    private readonly ulong[] _batch = new ulong[Count];
    private readonly ulong[] _afterIds = new ulong[Count];
    private readonly ulong[] _after = new ulong[Count];
    private ulong _known;
    private ulong _dirty;
    private bool _wantsPc;
    private ulong _sctlrAtReset;

    public ulong Pc { get => this[PcAt]; set => this[PcAt] = value; }

    public ulong Pstate { get => this[PstateAt]; set => this[PstateAt] = value; }

    public bool IsAArch32 => (Pstate & PstateAArch32) != 0;

    /// <summary>PC, where it is known without another ioctl.</summary>
    public ulong? KnownPc => (_known >> PcAt & 1) != 0 ? _values[PcAt] : null;

    /// <summary>What a core has that is started from here.</summary>
    public Endianness Endianness => new((this[SctlrAt] & SctlrEe) != 0, guest.IsAArch32 && (Pstate & PstateE) != 0);

    private ulong this[int index]
    {
        get
        {
            Fetch(1ul << index);
            return _values[index];
        }
        set
        {
            var bit = 1ul << index;
            if ((_known & bit) == 0 || _values[index] != value)
            {
                _values[index] = value;
                (_known, _dirty) = (_known | bit, _dirty | bit);
            }
        }
    }

    public ulong GetGeneral(int index) => this[index];

    public void SetGeneral(int index, ulong value) => this[index] = value;

    public ulong? GetSystem(SystemRegister register) => Place(register) is { } index ? this[index] : null;

    public void SetSystem(SystemRegister register, ulong value)
    {
        if (Place(register) is { } index)
        {
            this[index] = value;
        }
    }

    /// <summary>Reads these of x0 to x30 in one step: bit n for x n.</summary>
    public void FetchGeneral(uint mask) => Fetch(mask & ((1u << PcAt) - 1));

    /// <summary>What the guest translates addresses by.</summary>
    public TranslationRegisters FetchTranslation()
    {
        // Without an MMU the tables mean nothing.
        if ((this[SctlrAt] & 1) != 0)
        {
            Fetch(Translation);
        }
        return new(guest.IsAArch32, _values[SctlrAt], _values[TcrAt], _values[Ttbr0At], _values[Ttbr1At]);
    }

    public RegisterFile ToWire()
    {
        Fetch(File);
        return new()
        {
            X = { _values.AsSpan(0, PcAt).ToArray() },
            Pc = Pc,
            Pstate = Pstate,
            SpEl0 = _values[SpEl0At],
            SpEl1 = _values[SpEl1At],
            ElrElc = _values[ElrAt],
            SpsrElc = _values[SpsrAt],
            VbarElc = _values[VbarAt],
            SctlrElc = _values[SctlrAt],
        };
    }

    /// <summary>The state of a core that starts, out of reset.</summary>
    public void Start(CoreStart start)
    {
        vcpu.Init(Features(guest));
        (_known, _dirty) = (0, 0);
        KeepReset();
        Enter(start);
    }

    /// <summary>Of a core that has not run since it was made or started.</summary>
    public void KeepReset() => _sctlrAtReset = this[SctlrAt];

    /// <summary>The state of a core that is entered again: nothing of what it had matters, and its timers go on.</summary>
    public void EnterAgain(CoreStart start)
    {
        for (var index = 0; index < PcAt; index++)
        {
            this[index] = 0;
        }
        this[SpEl0At] = this[SpEl1At] = this[ElrAt] = this[SpsrAt] = this[VbarAt] = 0;
        this[SctlrAt] = _sctlrAtReset;
        Enter(start);
    }

    /// <summary>Runs the guest; what changed is written before. Everything read so far is forgotten.</summary>
    public ExitReason Run(uint kicksSeen, ReadOnlySpan<byte> data)
    {
        var dirty = GatherDirty();
        var afterMask = OfCall | (_wantsPc ? 1ul << PcAt : 0);
        var after = Gather(afterMask, _afterIds, []);
        (_known, _dirty) = (0, 0);
        var reason = vcpu.Run(kicksSeen, _batchIds.AsSpan(0, dirty), _batch.AsSpan(0, dirty), data, _afterIds.AsSpan(0, after), _after.AsSpan(0, after));
        if (reason == ExitReason.Hypercall)
        {
            Take(afterMask, _after);
            // The next call comes like this one, most likely.
            _wantsPc = !vcpu.Page.Hypercall.IsSmc || IsAArch32;
        }
        return reason;
    }

    /// <summary>Finishes an access to a device; everything read so far is forgotten.</summary>
    public void Complete(ReadOnlySpan<byte> data)
    {
        vcpu.Complete(data);
        _known = 0;
    }

    public static VcpuFeatures Features(GuestKind guest) => VcpuFeatures.Psci02 | (guest.IsAArch32 ? VcpuFeatures.El1Is32Bit : VcpuFeatures.None);

    private void Enter(CoreStart start)
    {
        this[0] = start.ContextId;
        if ((start.R1 | start.R2) != 0)
        {
            (this[1], this[2]) = (start.R1, start.R2);
        }
        if (start.Endianness.Exceptions)
        {
            this[SctlrAt] |= SctlrEe;
        }
        Pc = guest.IsAArch32 ? start.EntryPoint & ~1ul : start.EntryPoint;
        Pstate = guest.IsAArch32
            ? PstateSvc | ((start.EntryPoint & 1) != 0 ? PstateT : 0) | (start.Endianness.Data ? PstateE : 0)
            : PstateEl1h;
    }

    private void Fetch(ulong mask)
    {
        var missing = mask & ~_known;
        if (missing != 0)
        {
            var count = Gather(missing, _batchIds, []);
            vcpu.Get(_batchIds.AsSpan(0, count), _batch.AsSpan(0, count));
            Take(missing, _batch);
        }
    }

    private void Take(ulong mask, ReadOnlySpan<ulong> values)
    {
        _known |= mask;
        for (var n = 0; mask != 0; mask &= mask - 1)
        {
            _values[BitOperations.TrailingZeroCount(mask)] = values[n++];
        }
    }

    /// <summary>PSTATE first: KVM narrows what is written while it says AArch32.</summary>
    private int GatherDirty()
    {
        const ulong pstate = 1ul << PstateAt;
        var first = Gather(_dirty & pstate, _batchIds, _batch);
        return first + Gather(_dirty & ~pstate, _batchIds.AsSpan(first), _batch.AsSpan(first));
    }

    private int Gather(ulong mask, Span<ulong> ids, Span<ulong> values)
    {
        var count = 0;
        for (; mask != 0; mask &= mask - 1)
        {
            var index = BitOperations.TrailingZeroCount(mask);
            ids[count] = s_ids[index];
            if (!values.IsEmpty)
            {
                values[count] = _values[index];
            }
            count++;
        }
        return count;
    }

    private static int? Place(SystemRegister register) => register switch
    {
        SystemRegister.SpEl0 => SpEl0At,
        SystemRegister.SpEl1 => SpEl1At,
        SystemRegister.ElrElc => ElrAt,
        SystemRegister.SpsrElc => SpsrAt,
        SystemRegister.VbarElc => VbarAt,
        SystemRegister.SctlrElc => SctlrAt,
        _ => null,
    };
}

using System.Runtime.InteropServices;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Kvm.Interface;

/// <summary>A vCPU by ioctls.</summary>
internal sealed class KvmVcpu(IKernelVcpu vcpu, int number, uint target) : IKvmVcpu
{
    private const int MmioData = 8;

    public RunPage Page { get; } = new();

    public long Ioctls { get; private set; }

    public uint Kicks => vcpu.Kicks;

    public MpState MpState
    {
        get
        {
            var state = 0u;
            Check("has no MP state", Control(KvmIoctl.GetMpState, ref state));
            return (MpState)state;
        }
        set
        {
            var state = (uint)value;
            Check($"does not take the MP state {value}", Control(KvmIoctl.SetMpState, ref state));
        }
    }

    public void Init(VcpuFeatures features)
    {
        var init = new KvmVcpuInit { Target = target };
        init.Features[0] = (uint)features;
        Check($"cannot be initialised with {features}", Control(KvmIoctl.ArmVcpuInit, ref init));
    }

    public bool TryGet(ulong id, out ulong value)
    {
        value = 0;
        Ioctls++;
        var result = vcpu.Get(new(in id), new(ref value));
        if (result != -Errno.Enoent)
        {
            Check($"does not give register 0x{id:x}", result);
        }
        return result >= 0;
    }

    public void Get(ReadOnlySpan<ulong> ids, Span<ulong> values)
    {
        Ioctls += ids.Length;
        Check("does not give its registers", vcpu.Get(ids, values));
    }

    public void Set(ReadOnlySpan<ulong> ids, ReadOnlySpan<ulong> values)
    {
        Ioctls += ids.Length;
        Check("does not take its registers", vcpu.Set(ids, values));
    }

    public void SetDebug(GuestDebug control)
    {
        var debug = new KvmGuestDebug { Control = (uint)control };
        Check($"cannot be debugged with {control}", Control(KvmIoctl.SetGuestDebug, ref debug));
    }

    public ExitReason Run(uint kicksSeen, ReadOnlySpan<ulong> setIds, ReadOnlySpan<ulong> setValues, ReadOnlySpan<byte> data, ReadOnlySpan<ulong> getIds, Span<ulong> getValues)
    {
        Ioctls += setIds.Length + 1;
        var result = vcpu.Run(new()
        {
            SetIds = setIds,
            SetValues = setValues,
            Data = data,
            KicksSeen = kicksSeen,
            Page = Page.Bytes,
            GetIds = getIds,
            GetValues = getValues,
        });
        if (result is -Errno.Eintr or -Errno.Eagain)
        {
            return ExitReason.Interrupted;
        }
        // Such an exit comes with an error.
        if (result is not (-Errno.Efault or -Errno.Ehwpoison) || Page.Reason != ExitReason.MemoryFault)
        {
            Check("does not run", result);
        }
        if (Page.Reason == ExitReason.Hypercall)
        {
            Ioctls += getIds.Length;
        }
        return Page.Reason;
    }

    public void Complete(ReadOnlySpan<byte> data)
    {
        Ioctls++;
        Span<byte> ignored = stackalloc byte[MmioData];
        var result = vcpu.Run(new() { Data = data, KicksSeen = vcpu.Kicks, OnlyCompletes = true, Page = ignored });
        if (result != -Errno.Eintr)
        {
            Check("does not finish an access to a device", result);
        }
    }

    public void Kick() => vcpu.Kick();

    public void Dispose() => vcpu.Dispose();

    private int Control<T>(uint request, ref T structure)
        where T : unmanaged
    {
        Ioctls++;
        return vcpu.Control(request, MemoryMarshal.AsBytes(new Span<T>(ref structure)));
    }

    private void Check(string what, int result)
    {
        if (result < 0)
        {
            throw KvmException.Of($"vCPU {number} {what}", result);
        }
    }
}

using System.Runtime.InteropServices;

namespace Hypercalls.Kvm.Native;

/// <summary>A vCPU of this machine's kernel.</summary>
internal sealed unsafe class LinuxVcpu : IKernelVcpu
{
    private const int ImmediateExit = 1;
    private const int ExitReason = 8;
    private const int MmioData = 40;
    private const uint ExitHypercall = 3;

    private readonly int _size;
    private int _descriptor;
    private byte* _run;
    private volatile uint _kicks;
    private volatile int _thread;

    public LinuxVcpu(int descriptor, int runSize)
    {
        (_descriptor, _size) = (descriptor, runSize);
        _run = LinuxCalls.Map((ulong)runSize, LinuxCalls.ProtectReadWrite, LinuxCalls.MapShared, descriptor);
        if (_run is null)
        {
            var errno = Marshal.GetLastPInvokeError();
            _ = LinuxCalls.Close(descriptor);
            throw new IOException($"kvm_run cannot be mapped: {Errno.Text(errno)}.");
        }
    }

    public uint Kicks => _kicks;

    public int Control(uint request, ulong argument) => LinuxCalls.Control(_descriptor, request, (nint)argument);

    public int Control(uint request, Span<byte> argument)
    {
        fixed (byte* start = argument)
        {
            return LinuxCalls.Control(_descriptor, request, (nint)start);
        }
    }

    public int Get(ReadOnlySpan<ulong> ids, Span<ulong> values)
    {
        fixed (ulong* start = values)
        {
            return EachRegister(KvmIoctl.GetOneReg, ids, start);
        }
    }

    public int Set(ReadOnlySpan<ulong> ids, ReadOnlySpan<ulong> values)
    {
        fixed (ulong* start = values)
        {
            return EachRegister(KvmIoctl.SetOneReg, ids, start);
        }
    }

    public int Run(in KernelRun run)
    {
        if (!run.SetIds.IsEmpty && Set(run.SetIds, run.SetValues) is < 0 and var refused)
        {
            return refused;
        }
        _thread = LinuxCalls.ThisThread();
        run.Data.CopyTo(new(_run + MmioData, sizeof(ulong)));
        Volatile.Write(ref _run[ImmediateExit], 0);
        // Between the two a kick may be counted and its byte lost: whoever comes later finds the byte as it leaves it, whoever came before is counted.
        Interlocked.MemoryBarrier();
        if (run.OnlyCompletes || _kicks != run.KicksSeen)
        {
            Volatile.Write(ref _run[ImmediateExit], 1);
        }
        var result = LinuxCalls.Control(_descriptor, KvmIoctl.Run, 0);
        new ReadOnlySpan<byte>(_run, run.Page.Length).CopyTo(run.Page);
        return result < 0 || run.GetIds.IsEmpty || *(uint*)(_run + ExitReason) != ExitHypercall ? result : Get(run.GetIds, run.GetValues);
    }

    public void Kick()
    {
        Interlocked.Increment(ref _kicks);
        if (_run is var page && page is not null)
        {
            Volatile.Write(ref page[ImmediateExit], 1);
        }
        if (_thread is var thread && thread != 0)
        {
            LinuxCalls.Kick(thread);
        }
    }

    /// <summary>After its thread has ended, and nobody kicks it any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _descriptor, -1) is >= 0 and var descriptor)
        {
            LinuxCalls.Unmap(_run, (ulong)_size);
            _run = null;
            _ = LinuxCalls.Close(descriptor);
        }
    }

    private int EachRegister(uint request, ReadOnlySpan<ulong> ids, ulong* values)
    {
        KvmOneReg register;
        for (var n = 0; n < ids.Length; n++)
        {
            (register.Id, register.Address) = (ids[n], (ulong)(values + n));
            if (LinuxCalls.Control(_descriptor, request, (nint)(&register)) is < 0 and var refused)
            {
                return refused;
            }
        }
        return 0;
    }
}

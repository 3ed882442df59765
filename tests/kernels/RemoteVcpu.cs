using Hypercalls.Kvm.Native;

namespace Hypercalls.RealKernels;

/// <summary>A vCPU with a port of its own: the thread behind that port alone runs it.</summary>
internal sealed class RemoteVcpu(RealMachine machine, int index) : IKernelVcpu
{
    // The agent knows the descriptor.
    private const int Own = -1;

    private readonly AgentPort _port = machine.Vcpu(index);
    private readonly Lock _gate = new();
    private uint _kicks;
    private bool _isGone;

    public uint Kicks => Volatile.Read(ref _kicks);

    public int Control(uint request, ulong argument) => RemoteKernel.Control(Live, Own, request, argument);

    public int Control(uint request, Span<byte> argument) => RemoteKernel.Control(Live, Own, request, argument, AgentLayout.NoAddress, []);

    public int Get(ReadOnlySpan<ulong> ids, Span<ulong> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, ids.Length);
        using var call = Begin(AgentLayout.Get, ids);
        var result = call.Send();
        if (result >= 0)
        {
            call.Take(values);
        }
        return result;
    }

    public int Set(ReadOnlySpan<ulong> ids, ReadOnlySpan<ulong> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, ids.Length);
        using var call = Begin(AgentLayout.Set, ids);
        call.Put(values);
        return call.Send();
    }

    public int Run(in KernelRun run)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(run.SetValues.Length, run.SetIds.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(run.GetValues.Length, run.GetIds.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(run.Page.Length, AgentLayout.PageLimit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(run.Data.Length, sizeof(ulong));
        using var call = Live.Begin(AgentLayout.Run);
        call.Put(run.KicksSeen);
        call.Put(run.OnlyCompletes ? 1 : 0);
        call.Put(run.SetIds.Length);
        call.Put(run.GetIds.Length);
        call.Put(run.Data.Length);
        call.Put(run.Page.Length);
        call.Put(run.SetIds);
        call.Put(run.SetValues);
        call.Put(run.GetIds);
        call.Put(run.Data);
        // A guest runs as long as it likes.
        var result = call.Send(milliseconds: 0);
        call.Take(run.Page.Length).CopyTo(run.Page);
        call.Take(run.GetValues);
        return result;
    }

    public void Kick()
    {
        // Under the lock, so that the port is not another vCPU's meanwhile.
        lock (_gate)
        {
            if (_isGone)
            {
                return;
            }
            Volatile.Write(ref _kicks, _kicks + 1);
            using var call = machine.Control.Begin(AgentLayout.Kick);
            call.Put(index);
            call.Put(_kicks);
            call.Send();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isGone)
            {
                return;
            }
            _isGone = true;
        }
        using (var call = _port.Begin(AgentLayout.VcpuClose))
        {
            call.Send();
        }
        machine.GiveVcpuPortBack(index);
    }

    private AgentPort Live
    {
        get
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _isGone), this);
            return _port;
        }
    }

    private AgentPort.AgentCall Begin(uint op, ReadOnlySpan<ulong> ids)
    {
        var call = Live.Begin(op);
        call.Put(ids.Length);
        call.Put(0);
        call.Put(ids);
        return call;
    }
}

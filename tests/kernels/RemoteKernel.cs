using System.Text;
using Hypercalls.Kvm.Native;

namespace Hypercalls.RealKernels;

/// <summary>A kernel in a machine of its own, where an agent makes the calls. It goes with its machine: what is opened or mapped here is closed by whom it belongs to.</summary>
internal sealed class RemoteKernel(RealMachine machine) : IKernel
{
    public string Release => machine.Release;

    public string Architecture => machine.Architecture;

    public int Open(string path)
    {
        using var call = machine.Control.Begin(AgentLayout.Open);
        call.Put(Encoding.UTF8.GetBytes(path));
        return call.Send();
    }

    public int Close(int descriptor)
    {
        using var call = machine.Control.Begin(AgentLayout.Close);
        call.Put(descriptor);
        return call.Send();
    }

    public int Control(int descriptor, uint request, ulong argument) => Control(machine.Control, descriptor, request, argument);

    public int Control(int descriptor, uint request, Span<byte> argument) => Control(machine.Control, descriptor, request, argument, AgentLayout.NoAddress, []);

    public int Control(int descriptor, uint request, Span<byte> argument, int addressAt, Span<byte> pointedTo)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(addressAt);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(addressAt, argument.Length - sizeof(ulong));
        return Control(machine.Control, descriptor, request, argument, (uint)addressAt, pointedTo);
    }

    public IKernelMemory Map(ulong size)
    {
        using var call = machine.Control.Begin(AgentLayout.Map);
        call.Put(size);
        var mapping = call.Send();
        return mapping >= 0
            ? new RemoteMemory(machine.Control, (uint)mapping, address: call.TakeUInt64(), size)
            : throw new IOException($"mmap of {size:#,0} bytes: {Errno.Text(-mapping)}.");
    }

    public IKernelVcpu OpenVcpu(int descriptor, int runSize)
    {
        // It is taken over in any case: the caller has nothing to close.
        if (!machine.TryTakeVcpuPort(out var index))
        {
            Close(descriptor);
            throw new InvalidOperationException($"{AgentLayout.VcpuPorts} vCPUs are open: there are no more ports.");
        }
        using var call = machine.Vcpu(index).Begin(AgentLayout.VcpuOpen);
        call.Put(descriptor);
        call.Put(runSize);
        var result = call.Send();
        if (result < 0)
        {
            machine.GiveVcpuPortBack(index);
            Close(descriptor);
            throw new IOException($"mmap of kvm_run: {Errno.Text(-result)}.");
        }
        return new RemoteVcpu(machine, index);
    }

    public void Dispose()
    {
        // The next tests' kernel is the same: the machine is what ends it.
    }

    internal static int Control(AgentPort port, int descriptor, uint request, ulong argument)
    {
        using var call = port.Begin(AgentLayout.Ioctl);
        call.Put(descriptor);
        call.Put(request);
        call.Put(argument);
        return call.Send();
    }

    internal static int Control(AgentPort port, int descriptor, uint request, Span<byte> argument, uint addressAt, Span<byte> pointedTo)
    {
        using var call = port.Begin(AgentLayout.IoctlBytes);
        call.Put(descriptor);
        call.Put(request);
        call.Put(argument.Length);
        call.Put(addressAt);
        call.Put(pointedTo.Length);
        call.Put(argument);
        call.Put(pointedTo);
        call.Send();
        var back = call.Take(argument.Length);
        if (addressAt == AgentLayout.NoAddress)
        {
            back.CopyTo(argument);
        }
        else
        {
            // The address is one of the agent's, and the next call's will be another.
            back[..(int)addressAt].CopyTo(argument);
            back[((int)addressAt + sizeof(ulong))..].CopyTo(argument[((int)addressAt + sizeof(ulong))..]);
        }
        call.Take(pointedTo.Length).CopyTo(pointedTo);
        return call.Result;
    }
}

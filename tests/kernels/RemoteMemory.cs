using Hypercalls.Kvm.Native;

namespace Hypercalls.RealKernels;

/// <summary>Memory of the agent's.</summary>
internal sealed class RemoteMemory(AgentPort control, uint mapping, ulong address, ulong size) : IKernelMemory
{
    private bool _isGone;

    public ulong Address => address;

    public ulong Size => size;

    public void Read(ulong offset, Span<byte> into)
    {
        Check(offset, into.Length);
        while (!into.IsEmpty)
        {
            var chunk = into[..Math.Min(into.Length, AgentLayout.ChunkLimit)];
            using var call = Begin(AgentLayout.Read, offset, chunk.Length);
            call.Send();
            call.Take(chunk.Length).CopyTo(chunk);
            into = into[chunk.Length..];
            offset += (uint)chunk.Length;
        }
    }

    public void Write(ulong offset, ReadOnlySpan<byte> bytes)
    {
        Check(offset, bytes.Length);
        while (!bytes.IsEmpty)
        {
            var chunk = bytes[..Math.Min(bytes.Length, AgentLayout.ChunkLimit)];
            using var call = Begin(AgentLayout.Write, offset, chunk.Length);
            call.Put(chunk);
            call.Send();
            bytes = bytes[chunk.Length..];
            offset += (uint)chunk.Length;
        }
    }

    public void Clear()
    {
        Check(0, 0);
        using var call = control.Begin(AgentLayout.Clear);
        call.Put(mapping);
        if (call.Send() is < 0 and var error)
        {
            throw new IOException($"madvise: {Errno.Text(-error)}.");
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isGone, true))
        {
            return;
        }
        using var call = control.Begin(AgentLayout.Unmap);
        call.Put(mapping);
        call.Send();
    }

    private AgentPort.AgentCall Begin(uint op, ulong offset, int count)
    {
        var call = control.Begin(op);
        call.Put(mapping);
        call.Put(count);
        call.Put(offset);
        return call;
    }

    private void Check(ulong offset, int count)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isGone), this);
        if (offset > size || (ulong)count > size - offset)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{count} bytes at 0x{offset:x} are not in the 0x{size:x} there are.");
        }
    }
}

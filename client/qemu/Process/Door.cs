using System.Net.Sockets;

namespace Hypercalls.Qemu.Process;

/// <summary>The doorbell: a byte from the monitor is the number of a vCPU with an exit, a byte to it makes it look at KICK and WAKE.</summary>
internal sealed class Door(Socket socket) : IDisposable
{
    private static readonly byte[] Knock = [(byte)'k'];

    /// <summary>Reads on the calling thread until QEMU is gone; one call for each byte, which is the guest's to forge.</summary>
    public void Listen(Action<byte> rung)
    {
        // Blocking, not await: half the way from the guest's call to its answer would be the thread pool.
        var bytes = new byte[256];
        while (true)
        {
            int count;
            try
            {
                count = socket.Receive(bytes);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            if (count == 0)
            {
                return;
            }
            foreach (var number in bytes.AsSpan(0, count))
            {
                rung(number);
            }
        }
    }

    public void Ring()
    {
        try
        {
            socket.Send(Knock);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // QEMU has ended: its exit is what the machine learns it from.
        }
    }

    public void Dispose() => socket.Dispose();
}

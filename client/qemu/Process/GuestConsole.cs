using System.Net.Sockets;

namespace Hypercalls.Qemu.Process;

/// <summary>The guest's UART: what it prints goes to the owner's stream, what the owner types goes to the guest.</summary>
internal sealed class GuestConsole(Socket socket, Stream output) : IDisposable
{
    /// <summary>Copies on the calling thread until QEMU is gone and all it printed is passed on.</summary>
    public void Copy()
    {
        var bytes = new byte[4096];
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
            output.Write(bytes.AsSpan(0, count));
            output.Flush();
        }
    }

    /// <summary>Sends typed bytes; they are lost, as at a UART that nobody reads, when the guest has left too many unread.</summary>
    public void Write(ReadOnlySpan<byte> typed)
    {
        try
        {
            while (!typed.IsEmpty && socket.Poll(0, SelectMode.SelectWrite))
            {
                typed = typed[socket.Send(typed[..Math.Min(typed.Length, 64)])..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // QEMU has ended.
        }
    }

    public void Dispose() => socket.Dispose();
}

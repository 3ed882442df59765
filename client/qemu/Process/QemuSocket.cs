using System.Net.Sockets;
using Hypercalls.Hosts;

namespace Hypercalls.Qemu.Process;

/// <summary>Connects to a socket that a starting QEMU listens on; QEMU goes on when all of them are connected.</summary>
internal static class QemuSocket
{
    private const int RetryMilliseconds = 10;

    public static Socket Connect(string path, QemuProcess process, TimeSpan patience)
    {
        var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
                return socket;
            }
            catch (SocketException e)
            {
                socket.Dispose();
                if (process.WaitForExit(RetryMilliseconds))
                {
                    throw new HostException($"QEMU ended at once{process.ExitCode}: {process.Errors}", e);
                }
                if (Environment.TickCount64 > deadline)
                {
                    throw new HostException($"QEMU did not open its socket within {patience.TotalSeconds:0} s. {process.Errors}", e);
                }
            }
        }
    }
}

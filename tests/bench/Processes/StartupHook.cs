using System.Net.Sockets;
using Hypercalls.Bench.Processes;

/// <summary>Called by the runtime in a process that names this assembly in DOTNET_STARTUP_HOOKS, before its own first line: so the real daemon says what it allocates.</summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        var path = Environment.GetEnvironmentVariable(Probe.PathVariable);
        if (path is not null)
        {
            new Thread(() => Answer(path)) { IsBackground = true, Name = "probe" }.Start();
        }
    }

    private static void Answer(string path)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        using var caller = listener.Accept();
        var question = new byte[1];
        while (caller.Receive(question) == 1)
        {
            caller.Send(BitConverter.GetBytes(question[0] == Probe.Heap ? Collected() : GC.GetTotalAllocatedBytes(precise: true)));
        }
    }

    /// <summary>Gives back to the system what is not needed, too.</summary>
    private static long Collected()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return GC.GetTotalMemory(forceFullCollection: false);
    }
}

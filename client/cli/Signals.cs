using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Hypercalls.Cli;

/// <summary>SIGTERM, which .NET does not send by itself.</summary>
internal static class Signals
{
    private const int SigTerm = 15;

    public static void Terminate(Process process)
    {
        if (!process.HasExited)
        {
            _ = kill(process.Id, SigTerm);
        }
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int process, int signal);
}

using System.Runtime.InteropServices;

namespace Hypercalls.Cli.Running;

/// <summary>
/// The terminal's line discipline, by termios(3). Not by stty: the runtime puts the terminal back to what it was when a child that shares it ends.
/// </summary>
internal static class TerminalSettings
{
    private const int StandardInput = 0;
    private const int Now = 0; // TCSANOW

    // Larger than struct termios of any Linux C library.
    private const int Size = 256;

    /// <summary>Key by key, without echo.</summary>
    /// <returns>What <see cref="Restore"/> takes; null where standard input is no terminal.</returns>
    public static byte[]? MakeRaw()
    {
        var before = new byte[Size];
        if (tcgetattr(StandardInput, before) != 0)
        {
            return null;
        }

        var raw = (byte[])before.Clone();
        cfmakeraw(raw);
        return tcsetattr(StandardInput, Now, raw) == 0 ? before : null;
    }

    public static void Restore(byte[] settings) => _ = tcsetattr(StandardInput, Now, settings);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int tcgetattr(int file, [In, Out] byte[] settings);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int tcsetattr(int file, int when, byte[] settings);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void cfmakeraw([In, Out] byte[] settings);
}
